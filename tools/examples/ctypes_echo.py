"""An echo server in Python on libwsd.so, with nothing but ctypes.

What ctypes cannot check has to be right here: the order of the callbacks and their arguments are those of wsd.h, and
each struct says its own size, so that a library with longer ones still understands these.

usage: ctypes_echo.py [ADDRESS]     LIBWSD names the library where it is not installed
"""
import ctypes
import os
import signal
import socket
import sys
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint16, c_uint32, c_uint64, c_void_p

WSD_OK, WSD_E_CLOSED, WSD_READABLE = 0, -2, 1


class Str(ctypes.Structure):
    _fields_ = [("p", c_void_p), ("len", c_size_t)]


class CloseInfo(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("code", c_uint16), ("reason", Str), ("cause", c_int), ("error", c_int),
                ("clean", c_int)]


OnMessage = CFUNCTYPE(None, c_void_p, c_uint64, c_int, c_void_p, c_size_t)
OnClose = CFUNCTYPE(None, c_void_p, c_uint64, POINTER(CloseInfo))
OnWatch = CFUNCTYPE(None, c_void_p, c_int, c_uint, c_void_p)


class Callbacks(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("on_request", c_void_p), ("on_open", c_void_p), ("on_message", OnMessage),
                ("on_chunk", c_void_p), ("on_pong", c_void_p), ("on_drain", c_void_p), ("on_close", OnClose),
                ("on_log", c_void_p), ("on_session_end", c_void_p), ("on_refused", c_void_p)]


wsd = ctypes.CDLL(os.environ.get("LIBWSD", "libwsd.so.0"), use_errno=True)
# Without its arguments' types ctypes passes a pointer as an int, and cuts it.
for name, *types in [("wsd_server_new", c_void_p, POINTER(Callbacks), POINTER(c_void_p)),
                     ("wsd_server_listen", c_void_p, c_char_p), ("wsd_server_run", c_void_p),
                     ("wsd_server_address", c_void_p, c_int, c_char_p, c_size_t), ("wsd_server_free", c_void_p),
                     ("wsd_server_drain", c_void_p, c_uint32), ("wsd_error_text", c_int),
                     ("wsd_watch", c_void_p, c_int, c_uint, OnWatch, c_void_p), ("wsd_abort", c_void_p, c_uint64),
                     ("wsd_send", c_void_p, c_uint64, c_int, c_void_p, c_size_t)]:
    getattr(wsd, name).argtypes = types
wsd.wsd_error_text.restype = wsd.wsd_cause_text.restype = c_char_p


def check(what, result):
    """Passes on what the library answered, unless it is an error."""
    if result < 0:
        sys.exit(f"ctypes_echo: {what}: {wsd.wsd_error_text(result).decode()}")
    return result


@OnMessage
def on_message(server, conn, opcode, data, size):
    if wsd.wsd_send(server, conn, opcode, data, size) not in (WSD_OK, WSD_E_CLOSED):
        wsd.wsd_abort(server, conn)  # it does not read what it asks for


@OnClose
def on_close(_server, _conn, info):
    print("closed:", info[0].code, wsd.wsd_cause_text(info[0].cause).decode(), flush=True)


@OnWatch
def on_signal(server, _fd, _events, _arg):
    woken.recv(64)
    wsd.wsd_server_drain(server, 5000)


# The interpreter handles signals between two of its own steps, and none is taken while the library's loop runs: so the
# loop watches a socket that the interpreter writes to when a signal comes.
woken, waker = socket.socketpair()
for end in (woken, waker):
    end.setblocking(False)
signal.set_wakeup_fd(waker.fileno())
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9001"
callbacks = Callbacks(size=ctypes.sizeof(Callbacks), on_message=on_message, on_close=on_close)
server = c_void_p()
check("cannot start", wsd.wsd_server_new(None, ctypes.byref(callbacks), ctypes.byref(server)))
listener = check(address, wsd.wsd_server_listen(server, address.encode()))
check("cannot take signals", wsd.wsd_watch(server, woken.fileno(), WSD_READABLE, on_signal, None))
text = ctypes.create_string_buffer(128)
check("no address", wsd.wsd_server_address(server, listener, text, len(text)))
print("listening on", text.value.decode(), flush=True)
check("cannot go on", wsd.wsd_server_run(server))
wsd.wsd_server_free(server)
