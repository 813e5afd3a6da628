// websocketpp as an echo server to compare with, one thread. usage: websocketpp_echo PORT [deflate], on 127.0.0.1
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>
#include <websocketpp/server.hpp>

namespace {

constexpr size_t kMessageMaxBytes = 64u << 20;
constexpr int kBacklog = 4096;

struct Compressing : websocketpp::config::asio {
    struct permessage_deflate_config {};
    using permessage_deflate_type = websocketpp::extensions::permessage_deflate::enabled<permessage_deflate_config>;
};

template <class Config>
void serve(uint16_t port) {
    using Server = websocketpp::server<Config>;
    Server server;
    server.clear_access_channels(websocketpp::log::alevel::all);
    server.clear_error_channels(websocketpp::log::elevel::all);
    server.init_asio();
    server.set_reuse_addr(true);
    server.set_listen_backlog(kBacklog);
    server.set_max_message_size(kMessageMaxBytes);
    server.set_tcp_post_init_handler([&server](websocketpp::connection_hdl connection) {
        server.get_con_from_hdl(connection)
            ->get_raw_socket()
            .set_option(websocketpp::lib::asio::ip::tcp::no_delay(true));
    });
    server.set_message_handler([&server](websocketpp::connection_hdl connection, typename Server::message_ptr message) {
        websocketpp::lib::error_code gone;
        server.send(connection, message->get_payload(), message->get_opcode(), gone);
    });
    server.listen("127.0.0.1", std::to_string(port));
    server.start_accept();
    server.run();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("usage: websocketpp_echo PORT [deflate]\n", stderr), 2;
    const auto port = static_cast<uint16_t>(std::atoi(argv[1]));
    if (argc > 2 && std::strcmp(argv[2], "deflate") == 0) {
        serve<Compressing>(port);
    } else {
        serve<websocketpp::config::asio>(port);
    }
}
