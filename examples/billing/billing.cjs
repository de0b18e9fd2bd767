// Billing 3.2
//
// Serves the accounts department on localhost. Nobody has dared to touch it for years, and nobody has to:
// it speaks plain HTTP, appends to a log file, reads its settings once and again on SIGHUP, and knows nothing else.
//
// Environment: BILLING_PORT, BILLING_CONFIG (settings), BILLING_LOG (log file), BILLING_CONTENT (directory of prices.json)

'use strict';

var fs = require('fs');
var http = require('http');
var path = require('path');

var VERSION = '3.2';
var HOST = '127.0.0.1';
var PORT = Number(process.env.BILLING_PORT || 8080);
var CONFIG = process.env.BILLING_CONFIG || 'billing.properties';
var LOG = process.env.BILLING_LOG || 'billing.log';
var CONTENT = process.env.BILLING_CONTENT || '.';

var DEFAULTS = {
  'company': 'Unnamed',
  'currency': 'EUR',
  'vat.percent': '19',
  'outbox.capacity': '100',
  'heartbeat.seconds': '10',
  'log.limit': '262144',
  'log.keep': '5'
};

var started = Date.now();
var settings = {};
var requests = {};
var sequence = 0;
var outbox = 0;
var batch = { state: 'idle', lastRun: 'never' };

// ---------------------------------------------------------------------------------------------------------------- log

var logFile = null;
var logSize = 0;

function openLog() {
  logFile = fs.openSync(LOG, 'a');
  logSize = fs.fstatSync(logFile).size;
}

// billing.log becomes billing.log.1, that becomes billing.log.2, and so on; the oldest goes.
function rotateLog() {
  var keep = number('log.keep');
  var i;
  fs.closeSync(logFile);
  for (i = keep - 1; i >= 1; i--) {
    if (fs.existsSync(LOG + '.' + i)) fs.renameSync(LOG + '.' + i, LOG + '.' + (i + 1));
  }
  fs.renameSync(LOG, LOG + '.1');
  openLog();
}

function log(level, text) {
  var line = Buffer.from(new Date().toISOString() + ' ' + level + ' ' + text + '\n');
  if (logSize > 0 && logSize + line.length > number('log.limit')) rotateLog();
  fs.writeSync(logFile, line);
  logSize += line.length;
}

// ----------------------------------------------------------------------------------------------------------- settings

function number(key) {
  var value = Number(settings[key]);
  return value > 0 ? value : Number(DEFAULTS[key]);
}

function parse(text) {
  var result = {};
  Object.keys(DEFAULTS).forEach(function (key) {
    result[key] = DEFAULTS[key];
  });
  text.split('\n').forEach(function (line) {
    var at = line.indexOf('=');
    if (at < 0 || /^\s*[#!]/.test(line)) return;
    result[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  });
  return result;
}

function readSettings() {
  try {
    settings = parse(fs.readFileSync(CONFIG, 'utf8'));
    log('INFO', 'settings read from ' + CONFIG);
  } catch (error) {
    log('ERROR', 'settings cannot be read, the old ones stay: ' + error.message);
  }
}

// -------------------------------------------------------------------------------------------------------------- pages

function invoices() {
  var net = [1200, 349.5, 80];
  return net.map(function (amount, i) {
    var vat = Math.round(amount * number('vat.percent')) / 100;
    return { number: 'R-' + (1001 + i), net: amount, vat: vat, total: amount + vat, currency: settings.currency };
  });
}

function whoami(request) {
  return {
    client: request.socket.remoteAddress,
    host: request.headers.host,
    forwardedFor: request.headers['x-forwarded-for'] || null,
    forwardedProto: request.headers['x-forwarded-proto'] || null
  };
}

function xml(text) {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}

function status() {
  var lines = Object.keys(requests).map(function (name) {
    var each = requests[name];
    return '    <request path="' + xml(name) + '" count="' + each.count + '" errors="' + each.errors +
      '" millis="' + each.millis + '"/>';
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<status>',
    '  <server name="billing" version="' + VERSION + '" uptime="' + Math.floor((Date.now() - started) / 1000) + '"/>',
    '  <requests>'
  ].concat(lines, [
    '  </requests>',
    '  <queue name="outbox" depth="' + outbox + '" capacity="' + number('outbox.capacity') + '"/>',
    '  <memory used="' + process.memoryUsage().heapUsed + '" max="268435456"/>',
    '  <batch state="' + batch.state + '" lastRun="' + batch.lastRun + '"/>',
    '</status>',
    ''
  ]).join('\n');
}

function home() {
  return '<!doctype html><title>Billing</title><h1>' + xml(settings.company) + ': billing ' + VERSION + '</h1><ul>' +
    Object.keys(pages).map(function (name) {
      return '<li><a href="' + name + '">' + name + '</a>';
    }).join('') + '</ul>\n';
}

var pages = {
  '/': function () {
    return { type: 'text/html; charset=utf-8', body: home() };
  },
  '/invoices': function () {
    outbox = Math.min(outbox + 1, number('outbox.capacity'));
    return json(invoices());
  },
  '/prices': function () {
    return { type: 'application/json', body: fs.readFileSync(path.join(CONTENT, 'prices.json')) };
  },
  '/config': function () {
    return json(settings);
  },
  '/whoami': function (request) {
    return json(whoami(request));
  },
  '/status.xml': function () {
    return { type: 'application/xml; charset=utf-8', body: status() };
  }
};

function json(value) {
  return { type: 'application/json', body: JSON.stringify(value, null, 2) + '\n' };
}

function answer(request, name) {
  if (!Object.prototype.hasOwnProperty.call(pages, name)) return { code: 404, type: 'text/plain', body: 'Not found\n' };
  try {
    return pages[name](request);
  } catch (error) {
    log('ERROR', name + ': ' + error.message);
    return { code: 500, type: 'text/plain', body: 'Internal error\n' };
  }
}

function count(name, code, millis) {
  var known = Object.prototype.hasOwnProperty.call(pages, name) ? name : 'other';
  var each = requests[known] || { count: 0, errors: 0, millis: 0 };
  each.count += 1;
  each.errors += code < 400 ? 0 : 1;
  each.millis += millis;
  requests[known] = each;
}

// ------------------------------------------------------------------------------------------------------------- server

var server = http.createServer(function (request, response) {
  var began = Date.now();
  var name = request.url.split('?')[0];
  var result = answer(request, name);
  var code = result.code || 200;
  response.writeHead(code, { 'Content-Type': result.type, 'Content-Length': Buffer.byteLength(result.body) });
  response.end(request.method === 'HEAD' ? '' : result.body);
  count(name, code, Date.now() - began);
  sequence += 1;
  log('INFO', 'request ' + sequence + ' ' + request.method + ' ' + request.url + ' ' + code);
});

// Posts what has gathered in the outbox.
function runBatch() {
  batch.state = outbox > 0 ? 'running' : 'idle';
  if (outbox === 0) return;
  outbox = Math.max(0, outbox - 25);
  batch.lastRun = new Date().toISOString();
}

function heartbeat() {
  log('INFO', 'heartbeat requests=' + sequence + ' outbox=' + outbox);
  setTimeout(heartbeat, number('heartbeat.seconds') * 1000);
}

function stop(signal) {
  log('INFO', 'stopping on ' + signal);
  server.close(function () {
    log('INFO', 'stopped');
    process.exit(0);
  });
  if (server.closeIdleConnections) server.closeIdleConnections();
  setTimeout(function () {
    process.exit(0);
  }, 2000);
}

settings = parse('');
openLog();
readSettings();
process.on('SIGHUP', readSettings);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
server.keepAliveTimeout = 15000;
server.on('error', function (error) {
  log('ERROR', error.message);
  process.stderr.write('billing: ' + error.message + '\n');
  process.exit(1);
});
server.listen(PORT, HOST, function () {
  var line = 'listening on ' + HOST + ':' + server.address().port;
  log('INFO', line);
  process.stdout.write('billing ' + VERSION + ' ' + line + '\n');
  setInterval(runBatch, 1000);
  setTimeout(heartbeat, number('heartbeat.seconds') * 1000);
});
