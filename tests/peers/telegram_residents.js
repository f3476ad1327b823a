// Residents and a Bot API server that we did not write (npm telegram-test-api), in front of which stands what the
// real server does otherwise: an answer of true and not of null, seconds and not milliseconds, who the bot is, the
// secret with every update. What a resident does is answered with the status of the webhook.
// Usage: node telegram_residents.js. Prints its port first.
const http = require('http');
const express = require('express');
const TelegramServer = require('telegram-test-api');

const BOT = { id: 4839574812, is_bot: true, first_name: 'Sportello', username: 'sportello_bot' };

class Server extends TelegramServer {
  addBotMessage(message, token) {
    const taken = super.addBotMessage(message, token);
    return { ...taken, date: Math.floor(taken.date / 1000), from: BOT };
  }

  async addUserUpdate(update) {
    const hook = this.webhooks[update.botToken];
    const body = TelegramServer.formatUpdate(update);
    if (body.callback_query) body.callback_query.chat_instance = '1';
    const headers = { 'content-type': 'application/json' };
    if (hook.secret_token) headers['x-telegram-bot-api-secret-token'] = hook.secret_token;
    const answer = await fetch(hook.url, { method: 'POST', headers, body: JSON.stringify(body) });
    this.updateId += 1;
    this.status = answer.status;
  }
}

const server = new Server({ host: '127.0.0.1' });
const front = express();
front.use(express.json(), express.urlencoded({ extended: true }));
front.all('/bot:token/getMe', (request, response) => response.json({ ok: true, result: BOT }));
front.all('/bot:token/answerCallbackQuery', (request, response) => response.json({ ok: true, result: true }));
front.all('/bot:token/setWebhook', (request, response) => {
  server.setWebhook(request.body, request.params.token);
  response.json({ ok: true, result: true });
});
for (const [path, does] of [['/sendMessage', 'addUserMessage'], ['/sendCommand', 'addUserCommand'],
  ['/sendCallback', 'addUserCallback']]) {
  front.post(path, async (request, response) => {
    await server[does](request.body);
    response.json({ status: server.status });
  });
}
front.use(server.webServer);
const listening = http.createServer(front).listen(0, '127.0.0.1', () => console.log(listening.address().port));
