// Two libraries for the envelope, npm wechat-crypto and npm @wecom/crypto: JSON on stdin, JSON on stdout.
// { keys: {token, key, id}, timestamp, seal: [text ...], open: [{Encrypt, MsgSignature, TimeStamp, Nonce} ...] }
const WechatCrypto = require('wechat-crypto');
const wecom = require('@wecom/crypto');

const libraries = ({ token, key, id }) => {
  const wechat = new WechatCrypto(token, key, id);
  return {
    'wechat-crypto': {
      sign: (timestamp, nonce, sealed) => wechat.getSignature(timestamp, nonce, sealed),
      seal: (text) => wechat.encrypt(text),
      open: (sealed) => wechat.decrypt(sealed),
    },
    '@wecom/crypto': {
      sign: (timestamp, nonce, sealed) => wecom.getSignature(token, timestamp, nonce, sealed),
      seal: (text) => wecom.encrypt(key, text, id),
      open: (sealed) => wecom.decrypt(key, sealed),
    },
  };
};

let input = '';
process.stdin.on('data', (chunk) => { input += chunk; }).on('end', () => {
  const { keys, timestamp = '1409659813', seal = [], open = [] } = JSON.parse(input);
  const nonce = '1372623149';
  const found = {};
  for (const [name, library] of Object.entries(libraries(keys))) {
    found[name] = {
      sealed: seal.map((text) => {
        const encrypted = library.seal(text);
        const signature = library.sign(timestamp, nonce, encrypted);
        return { encrypted, timestamp, nonce, signature };
      }),
      opened: open.map(({ Encrypt, MsgSignature, TimeStamp, Nonce }) => {
        const { message, id } = library.open(Encrypt);
        return { signed: library.sign(TimeStamp, Nonce, Encrypt) === MsgSignature, message, id };
      }),
    };
  }
  process.stdout.write(JSON.stringify(found));
});
