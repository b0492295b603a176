#!/usr/bin/env python3
"""Independent test vectors of tsz-sig: plain integers, no dependency, nothing shared with the Rust code.

Run from the repository root: python3 scripts/ecfp7_vectors.py
Writes crates/base/sig/tests/vectors.json. Poseidon2's constants come from the Grain LFSR of the Poseidon papers.
"""
import hashlib
import json
import random

P = 15 * 2**27 + 1
D = 7
N = 134062710381075636479997415343722979822569397998875702343109881667


# Poseidon2, width 16, x^7, 8 full and 13 partial rounds (eprint 2023/323)
def grain_constants(count, width=16, full=8, partial=13, bits=31):
    state = []
    for value, size in ((1, 2), (0, 4), (bits, 12), (width, 12), (full, 10), (partial, 10), (2**30 - 1, 30)):
        state += [value >> i & 1 for i in reversed(range(size))]

    def step():
        bit = state[62] ^ state[51] ^ state[38] ^ state[23] ^ state[13] ^ state[0]
        state.append(bit)
        state.pop(0)
        return bit

    for _ in range(160):
        step()

    def bit():
        while not step():
            step()
        return step()

    out = []
    while len(out) < count:
        value = 0
        for _ in range(bits):
            value = value << 1 | bit()
        if value < P:
            out.append(value)
    return out


RC = grain_constants(64 + 13 + 64)
inv = lambda x: pow(x, P - 2, P)
DIAG = [-2, 1, 2, inv(2), 3, 4, -inv(2), -3, -4, inv(2**8), inv(4), inv(8), inv(2**27), -inv(2**8), -inv(16), -inv(2**27)]
M4 = [[2, 3, 1, 1], [1, 2, 3, 1], [1, 1, 2, 3], [3, 1, 1, 2]]


def external(s):
    t = []
    for b in range(0, 16, 4):
        t += [sum(M4[i][j] * s[b + j] for j in range(4)) for i in range(4)]
    col = [sum(t[j::4]) for j in range(4)]
    return [(t[i] + col[i % 4]) % P for i in range(16)]


def permute(s):
    s = external(s)
    for r in range(4):
        s = external([pow(x + c, 7, P) for x, c in zip(s, RC[16 * r : 16 * r + 16])])
    for r in range(13):
        s[0] = pow(s[0] + RC[64 + r], 7, P)
        total = sum(s)
        s = [(total + d * x) % P for d, x in zip(DIAG, s)]
    for r in range(4):
        s = external([pow(x + c, 7, P) for x, c in zip(s, RC[77 + 16 * r : 93 + 16 * r])])
    return s


def hash_step(block, cap):
    return permute(list(block) + list(cap))[8:]


def sponge(iv, felts):
    cap = list(iv)
    for i in range(0, len(felts), 8):
        block = felts[i : i + 8]
        cap = hash_step(block + [0] * (8 - len(block)), cap)
    return cap


def pack(data):
    return [int.from_bytes(data[i : i + 3], "little") for i in range(0, len(data), 3)]


def hash_bytes(data):
    return sponge([10, len(data)] + [0] * 6, pack(data))


# F_p[z]/(z^7 - 2z - 5)
def add(a, b):
    return [(x + y) % P for x, y in zip(a, b)]


def sub(a, b):
    return [(x - y) % P for x, y in zip(a, b)]


def mul(a, b):
    t = [0] * (2 * D - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            t[i + j] += x * y
    for k in range(2 * D - 2, D - 1, -1):
        t[k - D + 1] += 2 * t[k]
        t[k - D] += 5 * t[k]
    return [x % P for x in t[:D]]


ONE = [1] + [0] * 6


def power(a, e):
    r = ONE
    while e:
        if e & 1:
            r = mul(r, a)
        a = mul(a, a)
        e >>= 1
    return r


def invert(a):
    return power(a, P**D - 2)


# y^2 = x^3 + 2x + 26 z^5, None is the identity
A = [2] + [0] * 6
B = [0, 0, 0, 0, 0, 26, 0]


def on_curve(p):
    x, y = p
    return mul(y, y) == add(add(mul(mul(x, x), x), mul(A, x)), B)


def point_add(p, q):
    if p is None:
        return q
    if q is None:
        return p
    if p[0] == q[0]:
        if p[1] != q[1]:
            return None
        slope = mul(add(mul([3] + [0] * 6, mul(p[0], p[0])), A), invert(add(p[1], p[1])))
    else:
        slope = mul(sub(q[1], p[1]), invert(sub(q[0], p[0])))
    x = sub(sub(mul(slope, slope), p[0]), q[0])
    return (x, sub(mul(slope, sub(p[0], x)), p[1]))


def point_mul(k, p):
    r = None
    while k:
        if k & 1:
            r = point_add(r, p)
        p = point_add(p, p)
        k >>= 1
    return r


def square_root(a):
    """Tonelli-Shanks in F_p^7, without the norm."""
    q = P**D
    odd, s = q - 1, 0
    while odd % 2 == 0:
        odd, s = odd // 2, s + 1
    if power(a, (q - 1) // 2) != ONE:
        return None
    g = power([11] + [0] * 6, odd)  # 11 is a non-residue of p, so of p^7
    assert power(g, 2 ** (s - 1)) != ONE
    r, t = power(a, (odd + 1) // 2), power(a, odd)
    while t != ONE:
        i, u = 0, t
        while u != ONE:
            u, i = mul(u, u), i + 1
        b = power(g, 2 ** (s - i - 1))
        r, g, s = mul(r, b), mul(b, b), i
        t = mul(t, g)
    return r


def base_point(label):
    """x_i = little-endian words of SHA256(label / counter) mod p, the even of the two y_0."""
    counter = 0
    while True:
        digest = hashlib.sha256(f"TS-zkVM/ecBB7/{label}/{counter}".encode()).digest()
        x = [int.from_bytes(digest[4 * i : 4 * i + 4], "little") % P for i in range(7)]
        y = square_root(add(add(mul(mul(x, x), x), mul(A, x)), B))
        if y is not None:
            return (x, y if y[0] % 2 == 0 else sub([0] * 7, y))
        counter += 1


G = (
    [458821017, 1069500605, 943582914, 1296149486, 1653569474, 1211985940, 1043477955],
    [89262788, 1090724654, 1660188794, 210989984, 97232409, 1891855908, 80874422],
)
H = (
    [1433878306, 1825749634, 1588234207, 1929633712, 1624358986, 114617621, 1126769552],
    [1597093134, 1984147464, 1811785380, 1086696203, 761662815, 653256897, 168532537],
)


# the scheme
NONCE_START = point_mul(2**120, H)


def key_id(p):
    return p[0] + p[1][:1]


def base_p(lanes):
    value = 0
    for x in lanes:
        value = value * P + x
    return value % N


def secret_from_seed(seed):
    return base_p(sum((hash_bytes(b"TS-zkVM/secret-key" + bytes([0, half]) + seed) for half in range(2)), []))


def sign(sk, message, entropy):
    public = point_mul(sk, G)
    attempt = 0
    while True:
        felts = pack(sk.to_bytes(28, "little")) + message + pack(entropy) + [attempt]
        k = base_p(sum((sponge([7, len(felts) + 1] + [0] * 6, felts + [half]) for half in range(2)), []))
        nonce_point = point_add(point_mul(k, G), NONCE_START)
        lanes = hash_step(key_id(nonce_point), hash_step(key_id(public), message))[:5]
        if all(lane != P - 1 for lane in lanes):
            break
        attempt += 1
    e = sum((lane % 2**24) << (24 * i) for i, lane in enumerate(lanes))
    s = (k - (2 * e - (4**60 - 1)) * sk) % N
    r = point_add(point_mul(s, G), point_mul((2 * e - (4**60 - 1)) % N, public))
    assert point_add(r, NONCE_START) == nonce_point
    return public, e.to_bytes(15, "little") + s.to_bytes(28, "little")


def main():
    rng = random.Random(7)
    felt = lambda: [rng.randrange(P) for _ in range(7)]
    assert on_curve(G) and on_curve(H) and point_mul(N, G) is None and point_mul(N, H) is None
    labels = {label: base_point(label) == point for label, point in (("G", G), ("H", H))}
    print("base points derived from their labels:", labels)

    field = []
    for a, b in [(felt(), felt()) for _ in range(8)] + [([P - 1] * 7, [P - 1] * 7)]:
        field.append({"a": a, "b": b, "mul": mul(a, b), "inv": invert(a), "sqrt_exists": square_root(a) is not None})
    points = []
    for _ in range(4):
        p, q = point_mul(rng.randrange(N), G), point_mul(rng.randrange(N), H)
        points.append({"p": p, "q": q, "sum": point_add(p, q), "double": point_add(p, p)})
    muls = []
    for k in [1, 2, 3, N - 1, 2**216 - 1, 2**216, 255, 256] + [rng.randrange(N) for _ in range(6)]:
        muls.append({"k": k.to_bytes(28, "little").hex(), "point": point_mul(k, G)})
    signatures = []
    for i in range(6):
        seed = bytes([i] * 32)
        sk = secret_from_seed(seed) if i < 4 else [1, N - 1][i - 4]
        message = [rng.randrange(P) for _ in range(8)]
        entropy = bytes(32) if i % 2 == 0 else rng.randbytes(32)
        public, signature = sign(sk, message, entropy)
        signatures.append({
            "seed": seed.hex() if i < 4 else None,
            "sk": sk.to_bytes(28, "little").hex(),
            "message": message,
            "entropy": entropy.hex(),
            "public": public,
            "signature": signature.hex(),
        })
    vectors = {
        "command": "python3 scripts/ecfp7_vectors.py",
        "order": N.to_bytes(28, "little").hex(),
        "permutation_of_zero": permute([0] * 16),
        "field": field,
        "points": points,
        "muls": muls,
        "signatures": signatures,
    }
    with open("crates/base/sig/tests/vectors.json", "w") as out:
        json.dump(vectors, out)
        out.write("\n")


if __name__ == "__main__":
    main()
