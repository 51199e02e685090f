'use strict';
// Sends what is meant for Plivo to MASKING_API instead.  The SDK takes no address, so its transport
// is told; neither the SDK nor the program that uses it is changed:
//
//   MASKING_API=https://masking.example node --require ./elsewhere.js program.js

const axios = require('axios'); // the very copy that the SDK requires

const send = axios.getAdapter('http');
axios.defaults.adapter = (request) =>
  send({ ...request, url: request.url.replace('https://api.plivo.com', process.env.MASKING_API) });
