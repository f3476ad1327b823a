// A client of WeChat's interface that we did not write (npm wechat-api): JSON on stdin, JSON on stdout.
// { base, app_id, secret, sends: [[openid, text] ...] }: gives how each ended.
const API = require('wechat-api');

let input = '';
process.stdin.on('data', (chunk) => { input += chunk; }).on('end', () => {
  const { base, app_id, secret, sends } = JSON.parse(input);
  const api = new API(app_id, secret);
  api.endpoint = base;                    // setEndpoint() would force https
  api.prefix = `${base}/cgi-bin/`;
  const send = ([openid, text]) => new Promise((done) => {
    api.sendText(openid, text, (error, result) => done(error ? error.code : result.errcode));
  });
  (async () => {
    const found = [];
    for (const each of sends) found.push(await send(each));
    process.stdout.write(JSON.stringify(found));
  })();
});
