// libwebsockets as an echo server to compare with, one thread. usage: libwebsockets_echo PORT [deflate], on 127.0.0.1
//
// It delivers messages in pieces and sends when it says that a connection is writable, so that an echo gathers each
// message and keeps those that wait. As many go out at a time as the kernel takes.
#include <libwebsockets.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

namespace {

constexpr unsigned kServiceBufferBytes = 256 * 1024;

struct Message {
    bool is_text = false;
    std::vector<unsigned char> bytes = std::vector<unsigned char>(LWS_PRE);  // the library writes headers in front
};

struct Session {
    Message arriving;
    std::deque<Message> waiting;
};

void take(lws* wsi, Session& session, const void* data, size_t len) {
    Message& message = session.arriving;
    const auto* const p = static_cast<const unsigned char*>(data);
    if (lws_is_first_fragment(wsi)) message.is_text = !lws_frame_is_binary(wsi);
    message.bytes.insert(message.bytes.end(), p, p + len);
    if (!lws_is_final_fragment(wsi)) return;
    session.waiting.push_back(std::move(message));
    session.arriving = {};
    lws_callback_on_writable(wsi);
}

// False when the connection is lost.
bool send_waiting(lws* wsi, Session& session) {
    while (!session.waiting.empty() && !lws_send_pipe_choked(wsi)) {
        Message& message = session.waiting.front();
        const size_t len = message.bytes.size() - LWS_PRE;
        const auto protocol = message.is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
        if (lws_write(wsi, message.bytes.data() + LWS_PRE, len, protocol) < int(len)) return false;
        session.waiting.pop_front();
    }
    if (!session.waiting.empty()) lws_callback_on_writable(wsi);
    return true;
}

int called(lws* wsi, lws_callback_reasons reason, void* user, void* data, size_t len) {
    auto** const session = static_cast<Session**>(user);
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: *session = new Session; break;
        case LWS_CALLBACK_CLOSED: delete *session; break;
        case LWS_CALLBACK_RECEIVE: take(wsi, **session, data, len); break;
        case LWS_CALLBACK_SERVER_WRITEABLE: return send_waiting(wsi, **session) ? 0 : -1;
        default: break;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("usage: libwebsockets_echo PORT [deflate]\n", stderr), 2;
    lws_protocols protocols[2] = {};
    protocols[0].name = "echo";
    protocols[0].callback = called;
    protocols[0].per_session_data_size = sizeof(Session*);
    protocols[0].rx_buffer_size = kServiceBufferBytes;
    lws_extension extensions[2] = {};
    extensions[0] = {"permessage-deflate", lws_extension_callback_pm_deflate,
                     "permessage-deflate; client_no_context_takeover; server_no_context_takeover"};
    lws_context_creation_info info = {};
    info.port = std::atoi(argv[1]);
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.pt_serv_buf_size = kServiceBufferBytes;
    if (argc > 2 && std::strcmp(argv[2], "deflate") == 0) info.extensions = extensions;
    lws_set_log_level(LLL_ERR, nullptr);
    lws_context* const context = lws_create_context(&info);
    if (!context) return std::fputs("libwebsockets_echo: cannot listen\n", stderr), 1;
    while (lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
}
