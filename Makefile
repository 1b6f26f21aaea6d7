# Ferry. `make help` lists what can be made. SAN=address,undefined and CC=clang build beside the plain build, never over it.
CC     ?= gcc
ifeq ($(origin CC),default)
CC     := gcc
endif
CXX    := $(if $(findstring clang,$(CC)),clang++,g++)
SAN    ?=
prefix ?= /usr/local
V      ?=
Q      := $(if $(V),,@)
comma  := ,
B      := build$(if $(findstring clang,$(CC)),/clang)$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

PACKAGES := libuv sqlite3 libsodium libssl libcrypto libcurl libmicrohttpd gnutls jansson libzstd liblzma zlib libtorrent-rasterbar glib-2.0
# pkg-config is asked once, and only when something is to be built.
LIBRARIES  = $(eval LIBRARIES := $$(shell pkg-config --libs $(PACKAGES)))$(LIBRARIES)
GLIB_FLAGS = $(eval GLIB_FLAGS := $$(shell pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g'))$(GLIB_FLAGS)
LT_FLAGS   = $(eval LT_FLAGS := $$(shell pkg-config --cflags libtorrent-rasterbar | sed 's/-I/-isystem /g'))$(LT_FLAGS)

VERSION  := 0.1.0
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wwrite-strings -Wvla -Wformat=2 -Wundef -Werror
WARN_C   := $(WARN) -Wstrict-prototypes -Wmissing-prototypes
HARDEN   := -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fPIE
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
OPT      ?= $(if $(SAN),-O1,-O2)
COMMON   := $(OPT) -g -I. -D_GNU_SOURCE -DFERRY_VERSION='"$(VERSION)"' $(HARDEN) $(SANFLAGS) -MMD -MP
CFLAGS_   = -std=gnu17 $(COMMON) $(WARN_C) $(GLIB_FLAGS) $(CFLAGS)
CXXFLAGS_ = -std=c++17 $(COMMON) $(WARN) $(LT_FLAGS) $(CXXFLAGS)
LDFLAGS_ := $(SANFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS)

LIB_C   := $(filter-out node/main.c node/install/ferryd-installer.c,$(wildcard base/*.c policy/*/*.c dht/*.c node/*.c node/*/*.c))
LIB_CXX := $(wildcard dht/*.cpp)
LIB_O   := $(LIB_C:%.c=$(B)/obj/%.o) $(LIB_CXX:%.cpp=$(B)/obj/%.o)
CLI_O   := $(patsubst %.c,$(B)/obj/%.o,$(filter-out tools/ferry-tuf.c,$(wildcard tools/*.c)))
TRUST_O := $(patsubst %.c,$(B)/obj/%.o,$(wildcard base/*.c policy/trust/*.c) policy/document/json.c)
TRUST_LIBS := -lcrypto -lsodium -ljansson
UNIT    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c) $(wildcard tests/sim/test_*.c))
LAB     := $(patsubst tools/lab/%.c,$(B)/%,$(wildcard tools/lab/*.c))
FUZZ    := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all help deps test demo demo-debian lint fuzz install clean format unit
all: $(B)/ferryd $(B)/ferryd-installer $(B)/ferry $(B)/ferry-tuf $(LAB)

help:
	@echo "make deps            install the Debian packages Ferry is built from and tested with (apt-get; sudo where needed)"
	@echo "make all             build/ferryd, build/ferryd-installer, build/ferry, build/ferry-tuf"
	@echo "make demo            a site, a distribution point and two branches of four nodes on this machine, in two minutes"
	@echo "                     SCENARIO=dp-down | lying-dp | lying-peer | no-wan | kill   SEED=n"
	@echo "make demo-debian     the same with real Debian roots and the real security archive (root)"
	@echo "make test            lint, unit, end to end, scenarios; T=NAME runs one test or group; SAN=address,undefined"
	@echo "make lint            who includes whom, function and file length, links in READMEs"
	@echo "make fuzz TIME=60    every parser of foreign bytes, TIME seconds each"
	@echo "make install         prefix=$(prefix) DESTDIR="

deps:
	@tools/deps.sh

$(B)/ferryd: $(B)/obj/node/main.o $(B)/libferry.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES)
# Root runs it: it is linked with nothing it does not call, and so has no swarm and no HTTP in it.
$(B)/ferryd-installer: $(B)/obj/node/install/ferryd-installer.o $(B)/libferry.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_) -o $@ $^ -Wl,--as-needed $(LIBRARIES)
$(B)/ferry: $(CLI_O) $(B)/libferry.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES)
# The test client takes the verifier and nothing else of the house.
$(B)/ferry-tuf: $(B)/obj/tools/ferry-tuf.o $(TRUST_O)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_) -o $@ $^ $(TRUST_LIBS) -lcurl
$(B)/libferry.a: $(LIB_O)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS_) -c -o $@ $<
$(B)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(Q)$(CXX) $(CXXFLAGS_) -c -o $@ $<
# The laboratory's own programs link against nothing but the library they exercise.
$(LAB): $(B)/%: $(B)/obj/tools/lab/%.o $(B)/libferry.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES)
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libferry.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES) -lcmocka
# Somebody with another BitTorrent client, who has to be C++ as the product's own side of libtorrent is.
$(B)/unit/test_swarm_tls: $(B)/obj/tests/unit/stranger.o
$(B)/e2e/stranger: $(B)/obj/tests/e2e/stranger.o $(B)/obj/tests/unit/stranger.o $(B)/libferry.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES)
unit: $(UNIT) $(B)/e2e/stranger
# Measurements, made when they are asked for by name: make build/bench/bench_find && build/bench/bench_find
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/libferry.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS_) -o $@ $^ $(LIBRARIES) -lcmocka

test: deps
	@$(MAKE) --no-print-directory all unit
	@B=$(B) SAN=$(SAN) tests/run.sh $(T)

demo: deps
	@$(MAKE) --no-print-directory all
	@tools/lab/demo.sh $(SCENARIO)
demo-debian: deps
	@$(MAKE) --no-print-directory all
	@tools/lab/demo-debian.sh

lint:
	@tools/lint/lint.sh

TIME ?= 60
fuzz: $(FUZZ)
	@tests/fuzz/run.sh $(TIME) $(FUZZ)
# The whole library once more under the fuzzer's instrumentation.
FUZZ_O := $(LIB_C:%.c=build/fuzz/obj/%.o) $(LIB_CXX:%.cpp=build/fuzz/obj/%.o)
FUZZ_F := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -O1 -g -I. -D_GNU_SOURCE -DFERRY_VERSION='"fuzz"' -MMD -MP
build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang -std=gnu17 $(FUZZ_F) $(GLIB_FLAGS) -c -o $@ $<
build/fuzz/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(Q)clang++ -std=c++17 $(FUZZ_F) $(LT_FLAGS) -c -o $@ $<
build/fuzz/libferry.a: $(FUZZ_O)
	$(Q)rm -f $@ && ar rcs $@ $^
build/fuzz/%: tests/fuzz/%.c build/fuzz/libferry.a
	@echo "  FUZZ  $@"
	$(Q)clang -std=gnu17 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -O1 -g -I. -D_GNU_SOURCE -MMD -MP -MT $@ \
	    -MF build/fuzz/obj/$(@F).d -c -o $@.o $<
	$(Q)clang++ -fsanitize=fuzzer,address,undefined -o $@ $@.o build/fuzz/libferry.a $(LIBRARIES) -lcmocka

install: all
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/sbin $(DESTDIR)$(prefix)/share/man/man1 $(DESTDIR)$(prefix)/share/man/man5 $(DESTDIR)$(prefix)/share/man/man7 \
	    $(DESTDIR)$(prefix)/share/man/man8 $(DESTDIR)$(prefix)/share/bash-completion/completions $(DESTDIR)$(prefix)/lib/systemd/system \
	    $(DESTDIR)$(prefix)/lib/sysusers.d $(DESTDIR)$(prefix)/lib/tmpfiles.d
	install -m 755 $(B)/ferry $(B)/ferry-tuf $(DESTDIR)$(prefix)/bin/
	install -m 755 $(B)/ferryd $(B)/ferryd-installer $(DESTDIR)$(prefix)/sbin/
	install -m 644 tools/man/*.1 $(DESTDIR)$(prefix)/share/man/man1/
	install -m 644 tools/man/*.5 $(DESTDIR)$(prefix)/share/man/man5/
	install -m 644 tools/man/*.7 $(DESTDIR)$(prefix)/share/man/man7/
	install -m 644 tools/man/*.8 $(DESTDIR)$(prefix)/share/man/man8/
	install -m 644 tools/packaging/ferry.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/ferry
	for unit in ferryd.service ferryd-installer@.service; do \
	    sed 's|@sbindir@|$(prefix)/sbin|' tools/packaging/$$unit.in > $(DESTDIR)$(prefix)/lib/systemd/system/$$unit || exit; \
	done
	install -m 644 tools/packaging/ferryd-installer.socket $(DESTDIR)$(prefix)/lib/systemd/system/
	install -m 644 tools/packaging/ferry.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/ferry.conf
	install -m 644 tools/packaging/ferry.tmpfiles $(DESTDIR)$(prefix)/lib/tmpfiles.d/ferry.conf

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp')
clean:
	rm -rf build

# Not below the Debian root that demo-debian keeps there: its rc2.d is a directory.
-include $(shell find build -path 'build/debian-*' -prune -o -path '*/obj/*' -name '*.d' -print 2>/dev/null)
