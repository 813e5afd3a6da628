/* The header as C99 and the library under a C linker: a server, and a client by hand in the same thread. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wsd.h"

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fprintf(stderr, "api_smoke:%d: not so: %s\n", __LINE__, #condition); \
            exit(1);                                                             \
        }                                                                        \
    } while (0)

static int opened, messages, closed, fired, posted, watched, ended;

static void on_open(wsd_server *server, wsd_conn conn) {
    CHECK(wsd_set_user(server, conn, &opened) == WSD_OK);
    opened++;
}

static void on_message(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len) {
    CHECK(wsd_user(server, conn) == &opened);
    CHECK(wsd_server_free(server) == WSD_E_INVALID);
    CHECK(wsd_subscribe(server, conn, wsd_str_of("room")) == WSD_OK);
    CHECK(wsd_publish(server, wsd_str_of("room"), opcode, data, len, NULL) == 1);
    CHECK(wsd_unsubscribe(server, conn, wsd_str_of("room")) == WSD_OK);
    messages++;
}

static void on_close(wsd_server *server, wsd_conn conn, const wsd_close_info *info) {
    CHECK(info->size >= sizeof *info && info->code == 1000 && info->cause == WSD_CAUSE_PEER && info->clean);
    CHECK(wsd_send(server, conn, WSD_TEXT, "late", 4) == WSD_E_CLOSED);
    closed++;
}

static void on_timer(wsd_server *server, void *arg) {
    CHECK(wsd_context(server) == NULL && arg == &fired);
    fired++;
}

static void on_post(wsd_server *server, void *arg) {
    (void)server;
    CHECK(arg == &posted);
    posted++;
}

static void on_pipe(wsd_server *server, int fd, unsigned events, void *arg) {
    char byte;
    CHECK(events == WSD_READABLE && arg == &watched && read(fd, &byte, 1) == 1);
    CHECK(wsd_unwatch(server, fd) == WSD_OK);
    watched++;
}

static void on_session_end(wsd_server *server, wsd_session session, wsd_session_reason reason) {
    wsd_session_info info = {0};
    wsd_str value;
    info.size = sizeof info;
    CHECK(wsd_session_info_get(server, session, &info) == WSD_OK && info.user.len == 3);
    CHECK(wsd_session_get(server, session, wsd_str_of("key"), &value) == WSD_OK && value.len == 5);
    CHECK(reason == WSD_SESSION_SERVER && wsd_session_find(server, wsd_str_of(info.id)) == 0);
    ended++;
}

/* Turns the loop until `fd` has something to read. */
static void turn_until_readable(wsd_server *server, int fd) {
    struct pollfd wait = {0};
    int turns;
    wait.fd = fd;
    wait.events = POLLIN;
    for (turns = 0; turns < 1000; turns++) {
        CHECK(wsd_server_poll(server, 0) == 1);
        if (poll(&wait, 1, 10) == 1) return;
    }
    CHECK(!"nothing came");
}

static void exchange(wsd_server *server, int fd, const char *out, size_t out_len, const char *in, size_t in_len) {
    char got[512];
    CHECK(send(fd, out, out_len, 0) == (ssize_t)out_len);
    turn_until_readable(server, fd);
    CHECK(in_len <= sizeof got && recv(fd, got, in_len, MSG_WAITALL) == (ssize_t)in_len);
    CHECK(memcmp(got, in, in_len) == 0);
}

static int connect_to(wsd_server *server, int listener) {
    char address[64];
    struct sockaddr_in in = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(wsd_server_address(server, listener, address, sizeof address) == WSD_OK);
    CHECK(strncmp(address, "127.0.0.1:", 10) == 0);
    in.sin_family = AF_INET;
    in.sin_port = htons((unsigned short)atoi(address + 10));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&in, sizeof in) == 0);
    return fd;
}

int main(void) {
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    static const char answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    wsd_callbacks callbacks = {0};
    wsd_config config;
    wsd_stats stats = {0};
    wsd_listen_options listening;
    wsd_timer timer = 0;
    wsd_session session = 0;
    wsd_server *server = NULL;
    int listener, fd, ends[2];

    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_close;
    callbacks.on_session_end = on_session_end;
    wsd_config_init(&config, sizeof config);
    CHECK(wsd_config_invalid(&config) == NULL && wsd_config_invalid_why(&config) == NULL);
    CHECK(strcmp(wsd_version(), WSD_VERSION) == 0);
    CHECK(wsd_server_new(&config, &callbacks, &server) == WSD_OK);
    CHECK(wsd_server_listen(server, "nowhere") == WSD_E_INVALID && !wsd_address_valid("nowhere"));
    CHECK(wsd_address_valid("unix:/a") && !wsd_address_valid("127.0.0.1:65536") && !wsd_address_valid(NULL));
    listening.size = sizeof listening;
    listening.proxy_protocol = WSD_PROXY_OFF;
    listening.admin = 0;
    listener = wsd_server_listen_with(server, "127.0.0.1:0", &listening);
    CHECK(listener >= 0 && wsd_server_fd(server) >= 0);

    CHECK(wsd_timer_start(server, 0, on_timer, &fired, &timer) == WSD_OK && timer != 0);
    CHECK(wsd_post(server, on_post, &posted) == WSD_OK);
    CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    CHECK(wsd_watch(server, ends[0], WSD_READABLE, on_pipe, &watched) == WSD_OK);

    CHECK(wsd_session_create(server, wsd_str_of("ada"), 0, &session) == WSD_OK && session != 0);
    CHECK(wsd_session_set(server, session, wsd_str_of("key"), "value", 5) == WSD_OK);
    fd = connect_to(server, listener);
    exchange(server, fd, request, sizeof request - 1, answer, sizeof answer - 1);
    exchange(server, fd, "\x81\x82\0\0\0\0hi", 8, "\x81\x02hi", 4);
    exchange(server, fd, "\x88\x82\0\0\0\0\x03\xe8", 8, "\x88\x02\x03\xe8", 4);
    close(fd);
    while (closed == 0) CHECK(wsd_server_poll(server, 1000) == 1);

    CHECK(opened == 1 && messages == 1 && closed == 1 && fired == 1 && posted == 1 && watched == 1);
    CHECK(wsd_timer_stop(server, timer) == WSD_E_CLOSED);
    stats.size = sizeof stats;
    CHECK(wsd_stats_get(server, &stats) == WSD_OK && stats.connections_closed == 1 && stats.messages_in == 1);
    CHECK(wsd_server_drain(server, 0) == WSD_OK && wsd_server_run(server) == WSD_OK);
    CHECK(wsd_server_free(server) == WSD_OK && ended == 1);
    close(ends[0]);
    close(ends[1]);
    puts("api_smoke: ok");
    return 0;
}
