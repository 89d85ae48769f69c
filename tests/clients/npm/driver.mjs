// fhir-kit-client as a filter: a request a line in, an answer a line out, as JSON, until the input ends.
//
// A request is {"base", "method", "arguments"}: the method of the library's Client and what it is called with.
// An answer is {"body", "status", "headers"}, of a refusal too, or {"fault"} where the library itself throws.
import { createInterface } from 'node:readline';
import { CapabilityTool, Client } from 'fhir-kit-client';

const clients = new Map();

async function answer({ base, method, arguments: given }) {
  if (!clients.has(base)) clients.set(base, new Client({ baseUrl: base }));
  try {
    const body = await clients.get(base)[method](given);
    const { response } = Client.httpFor(body);
    const more = method === 'capabilityStatement' ? { told: told(body) } : {};
    return { body, status: response.status, headers: Object.fromEntries(response.headers), ...more };
  } catch (error) {
    if (!error.response) return { fault: String(error) };
    const { status, data } = error.response;
    return { body: data, status, headers: Object.fromEntries(error.config.headers) };
  }
}

// What the library's own reader of a CapabilityStatement makes of it.
function told(statement) {
  const tool = new CapabilityTool(statement);
  return {
    transaction: tool.serverCan('transaction'),
    create: tool.resourceCan('Encounter', 'create'),
    update: tool.resourceCan('Encounter', 'update'),
    conditionalCreate: tool.capabilityContents({ resourceType: 'Encounter', capabilityType: 'conditionalCreate' }),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
process.exit(0); // connections that are kept alive would keep the process
