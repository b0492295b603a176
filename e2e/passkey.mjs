// Assertions of a real browser: Chromium with a virtual authenticator signs the challenges of a page of ours.
//
// node passkey.mjs CHALLENGE..   (base64url)
// Prints {origin, rpId, x, y, assertions: [{challenge, verified, authenticatorData, clientDataJSON, signature}]};
// bytes as base64url, the signature in DER. Each challenge is signed twice: with and without user verification.
import { createServer } from "node:http";
import puppeteer from "puppeteer-core";

const challenges = process.argv.slice(2);
if (challenges.length === 0) throw new Error("usage: node passkey.mjs CHALLENGE..");

const page = "<!doctype html><title>login</title>";
const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
// WebAuthn takes localhost without TLS, and no addresses.
const origin = `http://localhost:${server.address().port}`;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  const tab = await browser.newPage();
  await tab.goto(origin);
  const devtools = await tab.createCDPSession();
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  console.log(JSON.stringify({ origin, rpId: "localhost", ...(await tab.evaluate(login, challenges)) }));
} finally {
  await browser.close();
  server.close();
}

/** Runs in the page: makes a passkey, lets it sign. */
async function login(challenges) {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const created = await navigator.credentials.create({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rp: { id: "localhost", name: "TS-zkVM" },
      user: { id: new Uint8Array([1]), name: "trader", displayName: "trader" },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { userVerification: "required", residentKey: "required" },
    },
  });
  // SubjectPublicKeyInfo of P-256 ends with the uncompressed point.
  const point = created.response.getPublicKey().slice(-64);
  const assertions = [];
  for (const challenge of challenges) {
    for (const userVerification of ["required", "discouraged"]) {
      const allowCredentials = [{ type: "public-key", id: created.rawId }];
      const got = await navigator.credentials.get({
        publicKey: { challenge: bytes(challenge), rpId: "localhost", userVerification, allowCredentials },
      });
      assertions.push({
        challenge,
        verified: userVerification === "required",
        authenticatorData: text(got.response.authenticatorData),
        clientDataJSON: text(got.response.clientDataJSON),
        signature: text(got.response.signature),
      });
    }
  }
  return { x: text(point.slice(0, 32)), y: text(point.slice(32)), assertions };
}
