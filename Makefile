# mlv - builds, tests and installs everything.
#
#   make                 builds build/mlv
#   make check           installs what the tests need (apt), builds, runs every test
#   make quickstart      installs what is missing, builds, and shows the main job on real data
#   make help            lists all targets
#
# Knobs: CC= CFLAGS= LDFLAGS= PREFIX=/usr/local DESTDIR= SANITIZE=address,undefined|thread WERROR=1
#        T=<name> (one unit test with check-unit; one file with check-cli; one target with fuzz)
#        JOBS=<n> (at once, in check)  FUZZ_SECONDS=60  V=1 (print commands)

VERSION = 0.1.0
PREFIX  ?= /usr/local
CC      ?= cc
CFLAGS  ?= -O2 -g
JOBS    ?= $(shell nproc)
comma   := ,
BUILD   ?= build$(if $(SANITIZE),/san-$(subst $(comma),-,$(SANITIZE)))
Q       := $(if $(V),,@)

LIBS     := glib-2.0 gio-2.0 libgit2 libarchive libcurl libcrypto libzstd libfyaml jansson expat
# Asked for once, and only when something is compiled: `make deps` runs without them.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(LIBS)))$(PKG_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
	-Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SAN      := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
LANGUAGE := -std=c11 -D_GNU_SOURCE -DMLV_VERSION=\"$(VERSION)\" -I.
ALL_CFLAGS = $(LANGUAGE) $(PKG_CFLAGS) $(WARNINGS) $(HARDENING) $(SAN) $(CFLAGS) -pthread -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN) $(LDFLAGS) -pthread

# GLib is not instrumented: ThreadSanitizer is told of its locks by tests/unit/thread_sanitizer.c.
GLIB_LOCKS := g_mutex_lock g_mutex_unlock g_cond_wait g_cond_wait_until g_rw_lock_reader_lock \
	g_rw_lock_reader_unlock g_rw_lock_writer_lock g_rw_lock_writer_unlock g_async_queue_push \
	g_async_queue_pop g_async_queue_try_pop
ifeq ($(SANITIZE),thread)
TSAN_OBJ := $(BUILD)/tests/unit/thread_sanitizer.o
ALL_LDFLAGS += $(foreach call,$(GLIB_LOCKS),-Wl,--wrap=$(call))
endif

HEADERS := $(shell find cmd core storage -name '*.h' | sort)
STORAGE := $(shell find storage -name '*.c' | sort)
CORE    := $(shell find core -name '*.c' | sort)
CMD     := $(shell find cmd -name '*.c' | sort)
UNIT    := $(sort $(wildcard tests/unit/test_*.c))
FUZZ    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
LIB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(STORAGE) $(CORE))
CMD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(CMD))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ))
PAGES   := $(sort $(wildcard man/*.[157]))

all: $(BUILD)/mlv

$(BUILD)/mlv: $(CMD_OBJ) $(LIB_OBJ) $(TSAN_OBJ)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

# Everything but main(), for tests.
$(BUILD)/libmlv.a: $(LIB_OBJ) $(filter-out %/main.o,$(CMD_OBJ))
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libmlv.a $(TSAN_OBJ)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(TSAN_OBJ) $(BUILD)/libmlv.a $(PKG_LIBS) \
		$$(pkg-config --libs cmocka) -lm

# A fuzz target with a main() that replays files; `make fuzz` gives it libFuzzer's instead.
FUZZ_MAIN := tests/fuzz/replay.c
$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_MAIN) $(BUILD)/libmlv.a $(TSAN_OBJ)
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(ALL_LDFLAGS) $(FUZZ_LDFLAGS) -o $@ $< \
		$(FUZZ_MAIN) $(TSAN_OBJ) $(BUILD)/libmlv.a $(PKG_LIBS) -lm

unit-bin: $(UNIT_BIN) $(FUZZ_BIN)

# --- tests ---------------------------------------------------------------------------------------

# In steps of their own: pkg-config knows the libraries only once they are installed. Unit tests and
# fuzz corpora run once more under the sanitizers.
check: deps
	+$(Q)$(MAKE) --no-print-directory -j$(JOBS) all unit-bin headers
	+$(Q)$(if $(SANITIZE),,$(MAKE) --no-print-directory -j$(JOBS) SANITIZE=address,undefined unit-bin)
	$(Q)tests/run --jobs $(JOBS) --mlv $(BUILD)/mlv --lint \
		--build $(BUILD) $(if $(SANITIZE),,--build $(BUILD)/san-address-undefined) --cli

check-unit: $(if $(T),$(BUILD)/tests/test_$(T),$(UNIT_BIN))
	$(Q)tests/run --jobs $(JOBS) $^

check-cli: all
	$(Q)tests/run --jobs $(JOBS) --mlv $(BUILD)/mlv $(if $(T),tests/cli/$(T).t,--cli)

# Searches for new failures, FUZZ_SECONDS for each target, beginning with the corpora.
FUZZ_SECONDS ?= 60
fuzz:
	+$(Q)$(MAKE) --no-print-directory -j$(JOBS) CC=clang BUILD=build/fuzzing FUZZ_MAIN= \
		FUZZ_LDFLAGS=-fsanitize=fuzzer CFLAGS="-O1 -g -fsanitize=fuzzer-no-link" \
		SANITIZE=address,undefined \
		$(patsubst tests/fuzz/%.c,build/fuzzing/fuzz/%,$(if $(T),tests/fuzz/fuzz_$(T).c,$(FUZZ)))
	$(Q)for f in $(patsubst tests/fuzz/fuzz_%.c,%,$(if $(T),tests/fuzz/fuzz_$(T).c,$(FUZZ))); do \
		mkdir -p build/fuzzing/corpus/$$f tests/fuzz/corpus/$$f; \
		build/fuzzing/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
			-artifact_prefix=build/fuzzing/$$f- build/fuzzing/corpus/$$f \
			tests/fuzz/corpus/$$f || exit 1; \
	done

bench: all
	$(Q)tests/bench/run --mlv $(BUILD)/mlv

coverage:
	+$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/coverage CFLAGS="-O0 -g --coverage" \
		LDFLAGS=--coverage all unit-bin
	-$(Q)tests/run --jobs $(JOBS) --mlv build/coverage/mlv --build build/coverage --cli
	$(Q)tests/lint/coverage build/coverage

# --- lint ----------------------------------------------------------------------------------------

HEADER_OK := $(patsubst %,$(BUILD)/lint/%.ok,$(HEADERS))
TIDY_OK   := $(patsubst %,$(BUILD)/lint/%.tidy,$(STORAGE) $(CORE) $(CMD))

headers: $(HEADER_OK)

# check has the first two as well.
lint: lint-deps
	+$(Q)$(MAKE) --no-print-directory -k -j$(JOBS) headers lint-tree lint-format $(TIDY_OK)

lint-tree: all
	$(Q)tests/run --mlv $(BUILD)/mlv --lint --verbose

lint-format:
	$(Q)clang-format --dry-run -Werror $(STORAGE) $(CORE) $(CMD) $(HEADERS)

format:
	clang-format -i $(STORAGE) $(CORE) $(CMD) $(HEADERS)

# Every header compiles alone.
$(BUILD)/lint/%.h.ok: %.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(LANGUAGE) $(PKG_CFLAGS) $(WARNINGS) -fsyntax-only -MMD -MP -MT $@ -MF $@.d \
		-include $< -x c /dev/null
	@touch $@

$(BUILD)/lint/%.c.tidy: %.c .clang-tidy
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(LANGUAGE) $(PKG_CFLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# --- dependencies --------------------------------------------------------------------------------

deps:
	$(Q)tests/deps build test

lint-deps:
	$(Q)tests/deps build test lint

quickstart:
	$(Q)tests/deps build quickstart
	+$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/quickstart.sh $(BUILD)/mlv

# --- installing ----------------------------------------------------------------------------------

completions: $(BUILD)/mlv
	@mkdir -p $(BUILD)/completions
	$(Q)$(BUILD)/mlv completion bash >$(BUILD)/completions/mlv
	$(Q)$(BUILD)/mlv completion zsh >$(BUILD)/completions/_mlv
	$(Q)$(BUILD)/mlv completion fish >$(BUILD)/completions/mlv.fish

BINDIR  := $(DESTDIR)$(PREFIX)/bin
DATADIR := $(DESTDIR)$(PREFIX)/share
BASHDIR := $(DATADIR)/bash-completion/completions
ZSHDIR  := $(DATADIR)/zsh/site-functions
FISHDIR := $(DATADIR)/fish/vendor_completions.d

install: all completions
	install -D -m 755 $(BUILD)/mlv $(BINDIR)/mlv
	$(Q)for page in $(PAGES); do \
		install -D -m 644 -t $(DATADIR)/man/man$${page##*.} $$page || exit 1; \
	done
	install -D -m 644 -t $(BASHDIR) $(BUILD)/completions/mlv
	install -D -m 644 -t $(ZSHDIR) $(BUILD)/completions/_mlv
	install -D -m 644 -t $(FISHDIR) $(BUILD)/completions/mlv.fish

uninstall:
	rm -f $(BINDIR)/mlv $(BASHDIR)/mlv $(ZSHDIR)/_mlv $(FISHDIR)/mlv.fish
	$(Q)for page in $(notdir $(PAGES)); do rm -f $(DATADIR)/man/man$${page##*.}/$$page; done

dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=mlv-$(VERSION)/ -o build/mlv-$(VERSION).tar.gz HEAD
	@echo build/mlv-$(VERSION).tar.gz

clean:
	rm -rf build

help:
	@echo "all         build/mlv (the default)"
	@echo "check       deps, build, every test; ends with the totals"
	@echo "check-unit  the unit tests; T=pack only tests/unit/test_pack.c"
	@echo "check-cli   the command tests; T=add only tests/cli/add.t"
	@echo "lint        layers, names, sizes, layout, headers, pages, clang-tidy"
	@echo "format      lays the code out as .clang-format says"
	@echo "fuzz        searches with libFuzzer; T=pack FUZZ_SECONDS=600"
	@echo "bench       times against other tools"
	@echo "coverage    lines that the tests reach, file by file"
	@echo "deps        installs missing packages (apt)"
	@echo "quickstart  the main job on real data, from nothing"
	@echo "install     PREFIX=/usr/local DESTDIR=; uninstall takes it away"
	@echo "dist        build/mlv-$(VERSION).tar.gz of the last commit"
	@echo "clean       removes build/"

.PHONY: all unit-bin check check-unit check-cli fuzz bench coverage headers lint lint-tree lint-format \
	format deps lint-deps quickstart completions install uninstall dist clean help
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
