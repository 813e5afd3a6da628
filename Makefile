# wsd: everything is built, checked and installed from here. `make help` lists the targets.

VERSION   := $(shell sed -n 's/^.define WSD_VERSION "\(.*\)"/\1/p' include/wsd.h)
SOMAJOR   := $(firstword $(subst ., ,$(VERSION)))
SONAME    := libwsd.so.$(SOMAJOR)
OUT       ?= build
PREFIX    ?= /usr/local
DESTDIR   ?=
SECONDS   ?= 60
PORT      ?= 9001

# make's own defaults are c++ and cc; this project means g++ and gcc unless it is told otherwise.
ifeq ($(origin CXX),default)
CXX := g++
endif
ifeq ($(origin CC),default)
CC := gcc
endif

# Optimised and hardened by default. SAN=address,undefined or COV=1 (with an OUT of their own) build for judging.
OPT       := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifdef SAN
# Not vptr: it looks at memory through a pipe, and takes an object for none where the sandbox forbids that.
OPT       := -O1 -g1 -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize=vptr -fno-sanitize-recover=all
LINKSAN   := -fsanitize=$(SAN)
endif
ifdef COV
OPT       := -O0 -g --coverage
LINKSAN   := --coverage
endif
# `make V=1` shows whole command lines.
Q         := $(if $(V),,@)
say        = $(if $(V),,@echo "  $(1)  $@")

WARN      := -Wall -Wextra -Wpedantic -Wshadow -Wimplicit-fallthrough -Werror
HARDEN    := -fPIC -fstack-protector-strong -fcf-protection
COMMON    := -std=c++20 $(OPT) $(WARN) $(HARDEN) -D_GNU_SOURCE -Iinclude -Isrc -MMD -MP
LIBFLAGS  := $(COMMON) -Wconversion -Wno-sign-conversion -fvisibility=hidden -fno-exceptions -fno-rtti \
             -fno-threadsafe-statics -ffunction-sections -fdata-sections
APPFLAGS  := $(COMMON) -Wconversion -Wno-sign-conversion -ffunction-sections -fdata-sections
EXFLAGS   := $(OPT) $(WARN) -Wconversion -Wno-sign-conversion -MMD -MP -Iinclude
TESTFLAGS := $(COMMON) -Itests -Itools
LINK      := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections $(LINKSAN)

LIB_SRC   := $(sort $(wildcard src/base/*.cpp src/net/*.cpp src/http/*.cpp src/deflate/*.cpp src/ws/*.cpp \
             src/server/*.cpp))
APP_SRC   := $(sort $(wildcard src/app/*.cpp src/app/hub/*.cpp))
UNIT_SRC  := $(sort $(wildcard tests/unit/*/*.cpp tests/unit/*/*/*.cpp tests/conformance/*.cpp)) tests/support/main.cpp
INTEG_SRC := $(sort $(wildcard tests/integration/*.cpp)) tests/support/main.cpp
FUZZERS   := $(patsubst tests/fuzz/%.cpp,%,$(sort $(wildcard tests/fuzz/*_fuzz.cpp)))
BENCHES   := $(patsubst tests/bench/%.cpp,%,$(sort $(wildcard tests/bench/*_bench.cpp)))
SOURCES   := $(wildcard src/*/*.cpp src/*/*.h src/*/*.inc src/app/hub/*.cpp src/app/hub/*.h include/*.h \
              tests/*/*.cpp tests/*/*.h tests/unit/*/*.cpp tests/unit/*/*/*.cpp tests/bench/peers/*.cpp \
              tests/c/*.c tools/*/*.cpp tools/*/*.h include/*.hpp tools/examples/*.c)

objects    = $(patsubst %,$(OUT)/%.o,$(basename $(1)))
LIB_OBJ   := $(call objects,$(LIB_SRC))
APP_OBJ   := $(call objects,$(APP_SRC))
EXAMPLES  := $(patsubst tools/%,$(OUT)/%,$(basename $(sort $(wildcard tools/examples/*.c tools/examples/*.cpp))))
BENCH_OBJ := $(call objects,$(sort $(wildcard tools/wsbench/*.cpp)))
LIB       := $(OUT)/libwsd.a

# The product stands at the top, where SPEC wants it; builds for judging stay in their OUT.
ifeq ($(OUT),build)
TOP       := wsd libwsd.a
endif

.PHONY: all run test check unit asan tsan fuzz bench interop examples examples_test demo deploy_test soak autobahn \
        coverage install uninstall clean help format tidy layers
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(TOP) $(LIB) $(OUT)/wsd $(OUT)/wsbench ## build ./wsd, ./libwsd.a and the tools

run: all ## build and echo on 127.0.0.1:PORT (9001)
	./wsd --port $(PORT)

# ---------------------------------------------------------------------------------------------------------- building

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(call say,AR  )
	$(Q)$(AR) rcs $@ $^

$(OUT)/$(SONAME): $(LIB_OBJ)
	$(call say,LINK)
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) $(filter-out -pie,$(LINK)) $^ -o $@

$(OUT)/wsd: $(APP_OBJ) $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -o $@

wsd: $(OUT)/wsd
	cp -f $< $@

libwsd.a: $(LIB)
	cp -f $< $@

$(OUT)/src/app/%.o: src/app/%.cpp
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) $(APPFLAGS) -c $< -o $@

$(OUT)/src/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) $(LIBFLAGS) -c $< -o $@

# A loop of five instructions that straddles a line of the cache of instructions takes twice as long.
$(OUT)/src/ws/kernels_x86.o: LIBFLAGS += -falign-loops=64

# Tests are many, and run once for each time that they are compiled.
TESTS_RUN := $(addsuffix /%.o,$(addprefix $(OUT)/tests/,unit integration conformance support))
$(TESTS_RUN): TESTFLAGS += -O0 -g1 -U_FORTIFY_SOURCE

$(OUT)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) $(TESTFLAGS) -c $< -o $@

$(OUT)/tools/%.o: tools/%.cpp
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) $(APPFLAGS) -Itools -c $< -o $@

$(OUT)/wsbench: $(BENCH_OBJ) $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -o $@

# What the bench compares with. A peer whose package is not installed is left out, told by a header that it needs.
PEER_NEEDS_beast_echo         := boost/beast/websocket.hpp libboost-dev
PEER_NEEDS_websocketpp_echo   := websocketpp/server.hpp libwebsocketpp-dev and libboost-dev
PEER_NEEDS_libwebsockets_echo := libwebsockets.h libwebsockets-dev
PEER_LIBS_websocketpp_echo    := -lz
PEER_LIBS_libwebsockets_echo  := -lwebsockets
PEERS := $(patsubst tests/bench/peers/%.cpp,$(OUT)/peers/%,$(sort $(wildcard tests/bench/peers/*.cpp)))

$(OUT)/peers/%: tests/bench/peers/%.cpp $(LIB)
	@mkdir -p $(@D)
	$(call say,PEER)
	$(Q)header='$(firstword $(PEER_NEEDS_$*))'; \
	if [ -n "$$header" ] && ! echo "#include <$$header>" | $(CXX) -E -x c++ - >/dev/null 2>&1; then \
	    echo "  SKIP  $@: needs $(wordlist 2,9,$(PEER_NEEDS_$*))"; \
	else \
	    $(CXX) -std=c++17 -O2 -Wall -Wextra -Iinclude $< $(LIB) $(PEER_LIBS_$*) $(LINKSAN) -pthread -o $@; \
	fi

# The examples see the public headers and the library, as the programs do that are made from them.
examples: $(EXAMPLES) $(OUT)/$(SONAME) ## build tools/examples into build/examples

$(OUT)/examples/%: tools/examples/%.cpp $(LIB)
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) -std=c++20 $(EXFLAGS) $< $(LIB) -pthread $(LINKSAN) -o $@

$(OUT)/examples/%: tools/examples/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) -std=c99 $(EXFLAGS) $< $(LIB) $(LINKSAN) -o $@

$(OUT)/tools/demo/%.o: tools/demo/%.cpp
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) $(APPFLAGS) -Itools/demo -c $< -o $@

$(OUT)/demo: $(call objects,$(sort $(wildcard tools/demo/*.cpp))) $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -o $@

demo: $(OUT)/demo ## run a server with two clients, which tell what they do
	$(OUT)/demo

# ----------------------------------------------------------------------------------------------------------- testing

# zlib judges the deflate floor: in tests, fuzz targets and benches only.
$(OUT)/unit: $(call objects,$(UNIT_SRC)) $(filter-out %/main.o,$(APP_OBJ) $(BENCH_OBJ)) $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -lz -pthread -o $@

$(OUT)/integration: $(call objects,$(INTEG_SRC)) $(filter-out %/main.o,$(APP_OBJ)) $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -pthread -lz -o $@

# Compiled and linked as C: the header is C99 and the library needs nothing but libc.
$(OUT)/api_smoke: tests/c/api_smoke.c include/wsd.h $(LIB)
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror -D_POSIX_C_SOURCE=200809L $(LINKSAN) -Iinclude $< $(LIB) -o $@

$(OUT)/store_bench: $(call objects,$(addprefix src/app/hub/,crc32c.cpp files.cpp journal.cpp journal_format.cpp))
$(OUT)/%_bench: $(OUT)/tests/bench/%_bench.o $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -lz -o $@

# Its connections have no sockets: these calls end in the bench itself.
$(OUT)/simulate_bench: LINK += $(foreach f,epoll_ctl epoll_wait accept4 close recv send sendmsg,-Wl,--wrap=$f)

# libFuzzer comes with clang; each target is its own program, built from the sources it needs and the sanitizers.
FUZZ_FLAGS := -std=c++20 -O1 -g1 -fno-sanitize-recover=all -D_GNU_SOURCE -Iinclude -Isrc -Itests
FUZZ_APP   := json json_writer utf8 config_file text wall_clock $(addprefix hub/,base64url crc32c envelope files journal \
              journal_format jwt sha256 text_file)
FUZZ_OBJ   := $(patsubst %.cpp,build/fuzz/%.o,$(LIB_SRC) $(FUZZ_APP:%=src/app/%.cpp))
build/fuzz/src/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang++ $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@
build/fuzz/libtested.a: $(FUZZ_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
build/fuzz/%: tests/fuzz/%.cpp build/fuzz/libtested.a
	$(call say,FUZZ)
	$(Q)clang++ $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined $^ -lz -o $@

unit: $(OUT)/unit $(OUT)/api_smoke
	$(OUT)/api_smoke
	$(OUT)/unit

TESTED := $(OUT)/integration $(OUT)/peers/raw_echo $(OUT)/peers/wsd_publish
test: all check $(TESTED) ## pass every test that needs no foreign program
	$(OUT)/integration
	tests/integration/daemon_test.sh $(OUT)/wsd
	/usr/bin/python3 -B tests/integration/man_test.py $(OUT)/wsd
	/usr/bin/python3 -B tests/integration/bench_test.py $(OUT)

CHECKED := $(LIB) $(OUT)/$(SONAME) $(OUT)/wsd
check: $(CHECKED) layers unit format tidy ## format, tidy, layers, symbols, unit, conformance: before every commit
	tools/check_symbols.sh $(LIB)

layers:
	tools/check_layers.sh src

format:
	@clang-format --dry-run -Werror $(SOURCES)

# clang-tidy is slow, so what has not changed since it last passed is not judged again.
TIDY := $(patsubst %.cpp,build/tidy/%.ok,$(LIB_SRC) $(APP_SRC))
tidy: $(TIDY)
build/tidy/%.ok: %.cpp .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY)
	$(Q)clang-tidy --quiet $< -- -std=c++20 -D_GNU_SOURCE -Iinclude -Isrc -MMD -MF $(basename $@).d -MT $@ \
	    2>$(basename $@).log || { cat $(basename $@).log; exit 1; }
	@touch $@

asan: ## all tests with ASan and UBSan
	$(MAKE) OUT=build/asan SAN=address,undefined judged

# Whatever has to do with threads: posts to the loop, and the hub's store. The rest has one thread, which ASan has seen.
TSAN_UNIT := $(sort $(wildcard tests/unit/app/hub/*.cpp tests/unit/server/*.cpp)) tests/support/main.cpp
tsan: ## tests of what has threads with TSan
	$(MAKE) OUT=build/tsan SAN=thread UNIT_SRC="$(TSAN_UNIT)" judged

.PHONY: judged
judged: $(OUT)/unit $(OUT)/api_smoke $(OUT)/integration $(OUT)/wsd
	$(OUT)/api_smoke
	$(OUT)/unit
	$(OUT)/integration
	tests/integration/daemon_test.sh $(OUT)/wsd

coverage: ## line coverage of src/ by all tests
	@mkdir -p build/coverage && find build/coverage -name '*.gcda' -delete
	$(MAKE) OUT=build/coverage COV=1 judged
	tools/coverage.sh build/coverage

fuzz: $(addprefix build/fuzz/,$(FUZZERS)) ## each fuzz target for SECONDS (60)
	tests/fuzz/run.sh build/fuzz $(SECONDS) $(FUZZERS)

# BENCH=quick takes seven minutes, all of it forty; tests/bench/run.py tells what else can be set.
bench: all $(addprefix $(OUT)/,$(BENCHES)) $(PEERS) ## speed, as ratios measured in one run
	/usr/bin/env python3 -B tests/bench/run.py $(OUT)

$(OUT)/fanout: $(OUT)/tests/interop/fanout.o $(LIB)
	$(call say,LINK)
	$(Q)$(CXX) $(LINK) $^ -o $@

interop: all $(OUT)/fanout ## other people's clients and a real browser
	tests/interop/run.sh ./wsd $(OUT)/fanout

# python3-websockets is the client.
examples_test: examples $(OUT)/demo ## every example and the demonstration as programs
	/usr/bin/python3 -B tests/examples/run.py $(OUT)

deploy_test: all ## nginx, HAProxy and systemd on what tools/deploy ships
	tests/deploy/run.sh ./wsd

# python3-websockets is one of the clients.
soak: all ## clients of every kind for SECONDS (60), judged by what is held when they have left
	/usr/bin/python3 -B tests/integration/soak.py ./wsd $(SECONDS)

autobahn: all ## the Autobahn fuzzing client, if it is installed
	autobahn/run ./wsd

# -------------------------------------------------------------------------------------------------------- installing

MAN_PAGES := $(sort $(wildcard tools/man/*.[135]))
man_path   = $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))

install: all $(OUT)/$(SONAME) ## headers, libraries, wsd.pc, man pages and wsd under DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 755 $(OUT)/wsd $(DESTDIR)$(PREFIX)/bin/wsd
	install -m 644 include/wsd.h include/wsd.hpp $(DESTDIR)$(PREFIX)/include
	install -m 644 $(LIB) $(DESTDIR)$(PREFIX)/lib/libwsd.a
	install -m 755 $(OUT)/$(SONAME) $(DESTDIR)$(PREFIX)/lib/libwsd.so.$(VERSION)
	ln -sf libwsd.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libwsd.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' tools/wsd.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/wsd.pc
	set -e; $(foreach page,$(MAN_PAGES),install -D -m 644 $(page) $(call man_path,$(page));)

uninstall: ## what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/wsd $(DESTDIR)$(PREFIX)/include/wsd.h $(DESTDIR)$(PREFIX)/include/wsd.hpp \
	    $(DESTDIR)$(PREFIX)/lib/libwsd.a \
	    $(DESTDIR)$(PREFIX)/lib/libwsd.so $(DESTDIR)$(PREFIX)/lib/$(SONAME) $(DESTDIR)$(PREFIX)/lib/libwsd.so.$(VERSION) \
	    $(DESTDIR)$(PREFIX)/lib/pkgconfig/wsd.pc $(foreach page,$(MAN_PAGES),$(call man_path,$(page)))

clean: ## everything that was built
	rm -rf build wsd libwsd.a

help: ## this list
	@sed -n 's/^\([a-z_]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

-include $(shell find $(OUT) build/tidy -name '*.d' 2>/dev/null)
