'use strict';
// Calls Plivo's SDK as it is told on standard input, and writes what came of it, a line each:
//
//   {"call": "maskingSession.getMaskingSession", "given": ["1091db69-2290-4633-9222-c9473c4815b6"]}
//   {"result": {"apiId": …, "response": {…}}}
//
//   {"call": "numbers.get", "given": ["12025550199"]}
//   {"error": {"status": 404, "message": "Not found."}}
//
// The class of an error is lost in the SDK itself: its compiled classes all give a plain Error.

const readline = require('readline');
const plivo = require('plivo');

const client = new plivo.Client(); // PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN

async function outcome({ call, given }) {
  const [resource, method] = call.split('.');
  try {
    const result = await client[resource][method](...given);
    // A list is an array with a property, which JSON would leave out.
    return { result: Array.isArray(result) ? { meta: result.meta, objects: result } : result };
  } catch (error) {
    return { error: { status: error.status, message: error.message ?? error } };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await outcome(JSON.parse(line))));
  }
})();
