// npm's ws as a server to compare with. usage: ws_echo.cjs WS_MODULE PORT [deflate|publish]: an echo, one that
// compresses every message, or one that sends what it gets to everybody.
'use strict';
const [wsModule, port, how] = process.argv.slice(2);
const { WebSocketServer } = require(wsModule);
const server = new WebSocketServer({
    host: '127.0.0.1', port: Number(port), backlog: 4096, maxPayload: 64 << 20,
    perMessageDeflate: how === 'deflate' ? { threshold: 0 } : false });
server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
        const receivers = how === 'publish' ? server.clients : [socket];
        for (const receiver of receivers) receiver.send(data, { binary: isBinary });
    });
});
