// Tokens of a real OpenID provider (oidc-provider) on loopback, through its whole login: authorization request with
// our nonce, login form, consent form, code, token endpoint.
//
// node provider.mjs NONCE..
// Prints {issuer, audience, subject, keys: [jwk], tokens: [{nonce, alg, token}]}; each nonce is used once with RS256
// and once with ES256.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const nonces = process.argv.slice(2);
if (nonces.length === 0) throw new Error("usage: node provider.mjs NONCE..");

const key = (kid, alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  kid,
  alg,
  use: "sig",
});
const keys = [
  key("rsa-1", "RS256", "rsa", { modulusLength: 2048 }),
  key("p256-1", "ES256", "ec", { namedCurve: "P-256" }),
];
const redirect = "http://localhost/back";
const client = (alg) => ({
  client_id: `exchange-${alg}`,
  token_endpoint_auth_method: "none",
  redirect_uris: [redirect],
  application_type: "native",
  id_token_signed_response_alg: alg,
});

const port = 20_000 + (randomBytes(2).readUInt16BE() % 20_000);
const issuer = `http://localhost:${port}`;
// It warns of its development forms and in-memory store, which are meant here.
console.warn = console.info = () => {};
const provider = new Provider(issuer, {
  clients: [client("RS256"), client("ES256")],
  jwks: { keys },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
});
const server = provider.listen(port);

/** One login, like a browser: follows redirects, keeps cookies, fills both forms. */
async function login(clientId, nonce, subject) {
  const jar = new Map();
  const go = async (url, form) => {
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; ") },
      redirect: "manual",
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    const to = response.headers.get("location");
    if (!to) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return new URL(to, issuer).href;
  };
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirect,
    scope: "openid",
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  let at = await go(`${issuer}/auth?${query}`);
  for (const form of [{ prompt: "login", login: subject, password: "any" }, { prompt: "consent" }]) {
    at = await go(await go(at, form));
  }
  const code = new URL(at).searchParams.get("code");
  if (!code) throw new Error(`no code in ${at}`);
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: redirect,
      code,
      code_verifier: verifier,
    }),
  });
  const { id_token: token, ...rest } = await response.json();
  if (!token) throw new Error(`no token: ${JSON.stringify(rest)}`);
  return token;
}

const subject = "trader";
const tokens = [];
for (const nonce of nonces) {
  for (const alg of ["RS256", "ES256"]) {
    const token = await login(`exchange-${alg}`, nonce, subject);
    tokens.push({ nonce, alg, audience: `exchange-${alg}`, token });
  }
}
const { keys: published } = await (await fetch(`${issuer}/jwks`)).json();
console.log(JSON.stringify({ issuer, subject, keys: published, tokens }));
server.close();
server.closeAllConnections();
