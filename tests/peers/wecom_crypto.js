// The envelope of WeCom's callbacks with npm @wecom/crypto: JSON on stdin, JSON on stdout.
// { token, key, timestamp, nonce, id } with { seal: text } or { open: envelope }
const wecom = require('@wecom/crypto');

let input = '';
process.stdin.on('data', (chunk) => { input += chunk; }).on('end', () => {
  const { token, key, timestamp, nonce, id, seal, open } = JSON.parse(input);
  const encrypted = open === undefined ? wecom.encrypt(key, seal, id) : open;
  const found = open === undefined ? {} : wecom.decrypt(key, open);
  const signature = wecom.getSignature(token, timestamp, nonce, encrypted);
  process.stdout.write(JSON.stringify({ encrypted, signature, message: found.message, id: found.id }));
});
