/* A complete server in C99: counts the clients of a page and tells all of them when one comes or goes. "/" is a page
 * that shows it, "/count" the WebSocket, and everything else is not found.
 *
 * usage: plain [ADDRESS] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "wsd.h"

static const char page[] =
    "<!doctype html><title>wsd</title><p>Clients: <b>none</b></p>\n"
    "<script>new WebSocket(location.href.replace('http', 'ws') + 'count').onmessage =\n"
    "    event => document.querySelector('b').textContent = event.data</script>\n";

static wsd_server* running;
static unsigned client_count;

/* Everybody gets the latest count: it takes the place of an older one that a slow client has not got yet. */
static void tell(wsd_server* server) {
    wsd_publish_options options = {0};
    char text[16];
    int len, receivers;

    options.size = sizeof options;
    options.full = WSD_FULL_REPLACE;
    options.key = 1;
    len = snprintf(text, sizeof text, "%u", client_count);
    receivers = wsd_publish(server, wsd_str_of("count"), WSD_TEXT, text, (size_t)len, &options);
    if (receivers < 0) fprintf(stderr, "plain: a count was lost: %s\n", wsd_error_text(receivers));
}

static int is(wsd_str text, const char* word) {
    return text.len == strlen(word) && memcmp(text.p, word, text.len) == 0;
}

/* What an answer meets when the client has left already is WSD_E_CLOSED, and nothing is left to do then. */
static void on_request(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    static const wsd_header html = {"Content-Type", "text/html; charset=utf-8"};
    const wsd_str path = wsd_request_path(request);

    if (is(path, "/count") && wsd_request_is_upgrade(request))
        (void)wsd_accept(server, conn, NULL, NULL, 0);
    else if (is(path, "/count"))
        (void)wsd_respond(server, conn, 426, NULL, 0, NULL, 0);
    else if (!is(path, "/") || wsd_request_is_upgrade(request))
        (void)wsd_respond(server, conn, 404, NULL, 0, NULL, 0);
    else if (!is(wsd_request_method(request), "GET") && !is(wsd_request_method(request), "HEAD"))
        (void)wsd_respond(server, conn, 405, NULL, 0, NULL, 0);
    else
        (void)wsd_respond(server, conn, 200, &html, 1, page, sizeof page - 1);
}

static void on_open(wsd_server* server, wsd_conn conn) {
    client_count++;
    if (wsd_subscribe(server, conn, wsd_str_of("count")) != WSD_OK) (void)wsd_close(server, conn, 1011, NULL, 0);
    tell(server);
}

static void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info* info) {
    (void)conn;
    fprintf(stderr, "plain: a client is gone: %s, code %u\n", wsd_cause_text(info->cause), (unsigned)info->code);
    client_count--;
    tell(server);
}

/* wsd_post() is safe in a signal handler, and its function then runs where every function may be called. */
static void drain(wsd_server* server, void* arg) {
    (void)arg;
    (void)wsd_server_drain(server, 5000); /* clients get 1001; cut after 5 s */
}

static void on_signal(int number) {
    (void)number;
    (void)wsd_post(running, drain, NULL);
}

static int fail(const char* what, int result) {
    fprintf(stderr, "plain: %s: %s\n", what, result == WSD_E_SYSTEM ? strerror(errno) : wsd_error_text(result));
    return 1;
}

int main(int argc, char** argv) {
    const char* address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    wsd_callbacks callbacks = {.size = sizeof callbacks};
    char actual[128] = "";
    int result, listener;

    callbacks.on_request = on_request;
    callbacks.on_open = on_open;
    callbacks.on_close = on_close;
    result = wsd_server_new(NULL, &callbacks, &running);
    if (result != WSD_OK) return fail("cannot start", result);
    listener = wsd_server_listen(running, address);
    if (listener < 0) return fail(address, listener);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);

    (void)wsd_server_address(running, listener, actual, sizeof actual);
    printf("listening on %s\n", actual);
    fflush(stdout);
    result = wsd_server_run(running);
    (void)wsd_server_free(running);
    return result == WSD_OK ? 0 : fail("cannot go on", result);
}
