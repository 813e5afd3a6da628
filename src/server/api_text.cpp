// The C functions of wsd.h that answer with words and codes and need no server.
#include "server/conn.h"
#include "ws/violation.h"

using namespace wsd;

extern "C" const char* wsd_version(void) { return WSD_VERSION; }

extern "C" wsd_str wsd_str_of(const char* text) { return {text, text ? std::strlen(text) : 0}; }

extern "C" const char* wsd_error_text(int result) {
    switch (result) {
        case WSD_OK: return "success";
        case WSD_E_INVALID: return "invalid argument or call";
        case WSD_E_CLOSED: return "connection closed";
        case WSD_E_AGAIN: return "send queue full";
        case WSD_E_NOMEM: return "out of memory";
        case WSD_E_SYSTEM: return "refused by the operating system";
        case WSD_E_CONN_LIMIT: return "connection limit reached";
        case WSD_E_LIMIT: return "limit reached";
        case WSD_E_ADDRESS_LIMIT: return "limit of an address reached";
        case WSD_E_MESSAGE_RATE: return "messages over the rate";
        case WSD_E_MEMORY_BUDGET: return "over the memory budget";
        case WSD_E_FRAME: return "invalid frame";
        case WSD_E_OPCODE: return "invalid opcode";
        case WSD_E_FRAME_TOO_LARGE: return "frame too large";
        case WSD_E_MESSAGE_TOO_LARGE: return "message too large";
        case WSD_E_FRAGMENT_LIMIT: return "too many fragments";
        case WSD_E_CONTROL_TOO_LONG: return "control frame too long";
        case WSD_E_CONTROL_FRAGMENTED: return "fragmented control frame";
        case WSD_E_DEFLATE: return "compressed message is no DEFLATE stream";
        case WSD_E_UTF8: return "text is not UTF-8";
        case WSD_E_CLOSE_PAYLOAD: return "invalid close frame";
        case WSD_E_PING_TIMEOUT: return "ping timeout";
        case WSD_E_IDLE_TIMEOUT: return "idle timeout";
        case WSD_E_WRITE_TIMEOUT: return "write timeout";
        case WSD_E_VANISHED: return "peer vanished";
        default: return "unknown result";
    }
}

extern "C" uint16_t wsd_error_close_code(int result) {
    // The codec knows the codes of what a peer can do wrong; the rest is the server's own.
    for (int fault = 1; fault <= int(ws::Fault::kClose); fault++) {
        if (server::result_of(ws::Fault(fault)) == result) return ws::close_code_of(ws::Fault(fault));
    }
    switch (result) {
        case WSD_E_AGAIN:
        case WSD_E_MESSAGE_RATE: return 1008;
        case WSD_E_NOMEM: return 1011;
        case WSD_E_CONN_LIMIT: return 1013;
        case WSD_E_IDLE_TIMEOUT: return 1001;
        case WSD_E_PING_TIMEOUT:
        case WSD_E_WRITE_TIMEOUT:
        case WSD_E_MEMORY_BUDGET:
        case WSD_E_VANISHED: return 1006;
        default: return 0;
    }
}

extern "C" const char* wsd_cause_text(wsd_cause cause) {
    switch (cause) {
        case WSD_CAUSE_PEER: return "peer";
        case WSD_CAUSE_LOCAL: return "local";
        case WSD_CAUSE_ABORTED: return "aborted";
        case WSD_CAUSE_VANISHED: return "vanished";
        case WSD_CAUSE_PROTOCOL: return "protocol";
        case WSD_CAUSE_PING_TIMEOUT: return "ping_timeout";
        case WSD_CAUSE_IDLE: return "idle";
        case WSD_CAUSE_WRITE_TIMEOUT: return "write_timeout";
        case WSD_CAUSE_SLOW: return "slow";
        case WSD_CAUSE_POLICY: return "policy";
        case WSD_CAUSE_DRAIN: return "drain";
        case WSD_CAUSE_NOMEM: return "out_of_memory";
    }
    return "unknown";
}
