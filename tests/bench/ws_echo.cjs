// npm's ws as an echo server that compresses every message. usage: ws_echo.cjs WS_MODULE PORT
'use strict';
const [wsModule, port] = process.argv.slice(2);
const { WebSocketServer } = require(wsModule);
const server = new WebSocketServer({
    host: '127.0.0.1', port: Number(port), maxPayload: 64 << 20, perMessageDeflate: { threshold: 0 } });
server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
