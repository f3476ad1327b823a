// A receiver of an Official Account's messages that we did not write (npm wechat): it says what it understood.
// Usage: node wechat_receiver.js TOKEN KEY APPID. Prints its port first.
const http = require('http');
const wechat = require('wechat');

const [token, encodingAESKey, appid] = process.argv.slice(2);
const handle = wechat({ token, appid, encodingAESKey, checkSignature: true }, (request, response) => {
  const { MsgType, Content, Event, EventKey, MediaId, Location_X } = request.weixin;
  response.reply([MsgType, Content, Event, EventKey, MediaId, Location_X].filter(Boolean).join('|'));
});
const server = http.createServer((request, response) => {
  request.query = Object.fromEntries(new URL(request.url, 'http://127.0.0.1').searchParams);
  handle(request, response, () => { response.statusCode = 404; response.end(); });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
