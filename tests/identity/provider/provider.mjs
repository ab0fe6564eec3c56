// An OpenID provider on loopback, for tests/identity. Each line on stdin is a JSON object {keys, clients, audience}: the
// provider is made anew of it, under the same issuer, as when its keys are rotated. Each is answered with a line: the issuer.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// node_modules lies outside the tree, and Node looks for modules beside the file that imports them.
const { default: Provider } = await import(pathToFileURL(`${process.env.OIDC_PROVIDER}/lib/index.js`));

let handle;
const server = createServer((request, answer) => handle(request, answer));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

for await (const line of createInterface({ input: process.stdin })) {
  const { keys, clients, audience, algorithm } = JSON.parse(line);
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients,
    clientAuthMethods: ["private_key_jwt"],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    extraClientMetadata: { properties: ["role", "unit"] },
    extraTokenClaims: (_, token) => ({ role: token.client.role, unit: token.client.unit }),
    scopes: ["records"],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource === "urn:other" ? resource : audience,
          scope: "records",
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  handle = provider.callback();
  console.log(issuer);
}
server.close();
server.closeAllConnections();
