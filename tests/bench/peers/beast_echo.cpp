// Boost.Beast as an echo server to compare with: one thread, a read and a write after the other on each connection, as
// its documentation shows. usage: beast_echo PORT [deflate], on 127.0.0.1
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kMessageMaxBytes = 64u << 20;

class Session : public std::enable_shared_from_this<Session> {
  public:
    explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}

    void begin(bool deflate) {
        stream_.next_layer().set_option(tcp::no_delay(true));
        stream_.read_message_max(kMessageMaxBytes);
        stream_.auto_fragment(false);
        if (deflate) {
            websocket::permessage_deflate offer;
            offer.server_enable = true;
            offer.server_no_context_takeover = offer.client_no_context_takeover = true;
            stream_.set_option(offer);
        }
        stream_.async_accept([self = shared_from_this()](error_code error) {
            if (!error) self->read();
        });
    }

  private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
            if (!error) self->write();
        });
    }
    void write() {
        stream_.text(stream_.got_text());
        stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code error, size_t) {
            if (error) return;
            self->buffer_.consume(self->buffer_.size());
            self->read();
        });
    }

    websocket::stream<tcp::socket> stream_;
    beast::flat_buffer buffer_;
};

void accept_next(tcp::acceptor& acceptor, bool deflate) {
    acceptor.async_accept([&acceptor, deflate](error_code error, tcp::socket socket) {
        if (!error) std::make_shared<Session>(std::move(socket))->begin(deflate);
        accept_next(acceptor, deflate);
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("usage: beast_echo PORT [deflate]\n", stderr), 2;
    asio::io_context loop(1);
    tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), static_cast<uint16_t>(std::atoi(argv[1]))});
    accept_next(acceptor, argc > 2 && std::strcmp(argv[2], "deflate") == 0);
    loop.run();
}
