// A client that we did not write (npm openapi-client-axios) and that knows of us only what a description says: it makes
// its operations of it, and another library (ajv) says whether each body and each answer is what it promises.
//   node described.js ADDRESS-OF-THE-DESCRIPTION [SECRET]
// A line of JSON in, { path, method, parameters, body, headers }; a line out, { status, data, sent, answered }, where
// `sent` and `answered` are what does not fit the description, or null. A body that is a text goes as it is.
const { createHmac } = require('crypto');
const { createInterface } = require('readline');
const { OpenAPIClientAxios } = require('openapi-client-axios');
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

const [, , address, secret] = process.argv;

function pointer(...steps) {
  return steps.map((step) => `/${String(step).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}

function judge(ajv, held, value, ...steps) {
  const described = held && held.content && held.content['application/json'];
  if (!described) return value === '' || value === undefined ? null : 'nothing was described, and something is there';
  const fits = ajv.compile({ $ref: `api#${encodeURI(pointer(...steps, 'content', 'application/json', 'schema'))}` });
  return fits(value) ? null : ajv.errorsText(fits.errors);
}

// As the description's text tells it.
function sign(client) {
  client.interceptors.request.use((config) => {
    const { pathname, search } = new URL(client.getUri(config));
    const now = config.headers.get('X-Sportello-Time') || (Date.now() / 1000).toFixed(3);
    const text = `${now}\n${config.method.toUpperCase()} ${pathname}${search}\n${config.data || ''}`;
    const digest = createHmac('sha256', secret).update(text).digest('hex');
    config.headers.set({ 'X-Sportello-Time': now, 'X-Sportello-Signature': `sha256=${digest}` }, false);
    return config;
  });
}

(async () => {
  const api = new OpenAPIClientAxios({
    definition: address,
    axiosConfigDefaults: { validateStatus: () => true, transformRequest: [(data) => data], proxy: false },
  });
  const client = await api.init();
  client.defaults.baseURL = new URL(address).origin;
  if (secret) sign(client);
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema(api.document, 'api');
  for await (const line of createInterface({ input: process.stdin })) {
    const { path, method, parameters, body, headers } = JSON.parse(line);
    const operation = api.document.paths[path][method];
    const data = typeof body === 'object' ? JSON.stringify(body) : body;
    const type = data === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await client.paths[path][method](parameters, data, { headers: { ...type, ...headers } });
    const response = operation.responses[answer.status];
    process.stdout.write(`${JSON.stringify({
      status: answer.status,
      data: answer.data,
      sent: judge(ajv, operation.requestBody, body, 'paths', path, method, 'requestBody'),
      answered: response
        ? judge(ajv, response, answer.data, 'paths', path, method, 'responses', answer.status)
        : `the status ${answer.status} is not described`,
    })}\n`);
  }
})();
