# cc-gateway: `make help` says what there is.
#
# One Makefile, no recursion into folders: sources are found by folder, so a new .c file needs no
# entry here. V chooses a variant, each with its own tree under build/:
#   release  gcc, optimised and hardened: build/bin/            (what users run)
#   san      gcc with ASan and UBSan: what unit tests and scenarios run
#   clang    clang, warnings only: catches what gcc does not
#   fuzz     clang with libFuzzer, ASan and UBSan

SHELL       := /bin/bash
# make Q= shows the commands.
Q           ?= @
SAY         := $(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-5s %s\n')
.DEFAULT_GOAL := all
V           ?= release
BUILD       ?= build
prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
sbindir     ?= $(prefix)/sbin
datadir     ?= $(prefix)/share
includedir  ?= $(prefix)/include
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/cc-gateway
VERSION     := 0.1.0

PKGS        := libcrypto jansson yaml-0.1 libcurl libpcre2-8
WARN        := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
               -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef -Werror
BASEFLAGS   := -std=c11 -D_GNU_SOURCE -DCC_VERSION='"$(VERSION)"' -Ilib -I. -g $(WARN) \
               $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS        := -lssl $(shell pkg-config --libs $(PKGS) 2>/dev/null || echo -lcrypto -ljansson -lyaml -lcurl -lpcre2-8) -lpthread
# What only cc-gen needs; the agent parses no archives.
GEN_LIBS    := $(shell pkg-config --libs libarchive 2>/dev/null || echo -larchive)
# What only the agent needs; the others do not talk to Redis.
REDIS_LIBS  := $(shell pkg-config --libs hiredis 2>/dev/null || echo -lhiredis)
HARDEN      := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
SANFLAGS    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

ifeq ($(V),release)
  CC      := gcc
  FLAGS   := $(HARDEN)
  LDFLAGS += -pie -Wl,-z,relro,-z,now
else ifeq ($(V),san)
  CC      := gcc
  FLAGS   := $(SANFLAGS)
  LDFLAGS += $(SANFLAGS)
else ifeq ($(V),clang)
  CC      := clang
  FLAGS   := $(HARDEN)
  LDFLAGS += -pie -Wl,-z,relro,-z,now
else ifeq ($(V),fuzz)
  CC      := clang
  FLAGS   := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
             -fno-sanitize-recover=all -DCC_FUZZ
  LDFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all
else
  $(error V=$(V)? It is release, san, clang or fuzz)
endif

O           := $(BUILD)/$(V)
BIN         := $(if $(filter release,$(V)),$(BUILD)/bin,$(O)/bin)

LIB_SRC     := $(sort $(wildcard lib/*/*.c))
GEN_SRC     := $(sort $(filter-out generator/main.c,$(wildcard generator/*.c)))
SPOA_SRC    := $(sort $(filter-out spoa/main.c,$(wildcard spoa/*.c)))
TEMPLATES   := $(sort $(wildcard haproxy-templates/*))
POLICIES    := $(sort $(wildcard policies/*.yaml))
TOOL_SRC    := $(sort $(wildcard regress/tools/*.c))
UNIT_SRC    := $(sort $(wildcard regress/unit/*/test_*.c))
FUZZ_SRC    := $(sort $(wildcard regress/fuzz/fuzz_*.c))
BENCH_SRC   := $(sort $(wildcard regress/bench/*.c))

LIB_OBJ     := $(LIB_SRC:%.c=$(O)/%.o)
GEN_OBJ     := $(GEN_SRC:%.c=$(O)/%.o) $(O)/generator/templates.gen.o \
               $(O)/generator/policies.gen.o
SPOA_OBJ    := $(SPOA_SRC:%.c=$(O)/%.o)
UNIT_BIN    := $(UNIT_SRC:regress/unit/%.c=$(O)/unit/%)
FUZZ_BIN    := $(FUZZ_SRC:regress/fuzz/%.c=$(O)/fuzz/%)
TOOL_BIN    := $(TOOL_SRC:regress/tools/%.c=$(O)/tools/%)
BENCH_BIN   := $(BENCH_SRC:regress/bench/%.c=$(O)/bench/%)
ARCHIVES    := $(O)/libgen.a $(O)/libspoa.a $(O)/libcc.a

.PHONY: all programs units fuzzers tools benches
.SECONDARY:
.DELETE_ON_ERROR:
all: programs ## build cc-gen and cc-spoa into build/bin (the default)
programs: $(BIN)/cc-gen $(BIN)/cc-spoa
units: $(UNIT_BIN)
fuzzers: $(FUZZ_BIN)
tools: $(TOOL_BIN)
benches: $(BENCH_BIN)

$(BIN)/cc-gen: $(O)/generator/main.o $(O)/libgen.a $(O)/libcc.a
$(BIN)/cc-gen: LDLIBS += $(GEN_LIBS) $(REDIS_LIBS)
$(BIN)/cc-spoa: $(O)/spoa/main.o $(O)/libspoa.a $(O)/libcc.a
$(BIN)/cc-spoa: LDLIBS += -lev $(REDIS_LIBS)
$(BIN)/%:
	@mkdir -p $(@D)
	@$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)

# The default templates and policies are part of cc-gen, so that an installed program never misses them.
$(O)/generator/templates.gen.c: $(TEMPLATES) generator/embed.sh
	@mkdir -p $(@D)
	$(Q)generator/embed.sh template_files $(TEMPLATES) > $@.tmp && mv $@.tmp $@
$(O)/generator/policies.gen.c: $(POLICIES) generator/embed.sh
	@mkdir -p $(@D)
	$(Q)generator/embed.sh policy_files $(POLICIES) > $@.tmp && mv $@.tmp $@
$(O)/generator/%.gen.o: $(O)/generator/%.gen.c
	@$(SAY) CC $@
	$(Q)$(CC) $(BASEFLAGS) $(CFLAGS) $(FLAGS) -c -o $@ $<

$(O)/libcc.a: $(LIB_OBJ)
$(O)/libgen.a: $(GEN_OBJ)
$(O)/libspoa.a: $(SPOA_OBJ)
$(O)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(O)/%.o: %.c
	@mkdir -p $(@D)
	@$(SAY) CC $@
	$(Q)$(CC) $(BASEFLAGS) $(CFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<

$(O)/unit/%: $(O)/regress/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lcmocka -lev $(REDIS_LIBS) $(GEN_LIBS) $(LIBS)
$(O)/tools/%: $(O)/regress/tools/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lev $(REDIS_LIBS) $(GEN_LIBS) $(LIBS)
$(O)/bench/%: $(O)/regress/bench/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lev $(REDIS_LIBS) $(GEN_LIBS) $(LIBS)
$(O)/fuzz/%: $(O)/regress/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(ARCHIVES) -lev $(REDIS_LIBS) $(GEN_LIBS) $(LIBS)


# ---------------------------------------------------------------------------------------------
# Packages: the one list, by what they are needed for. Debian 12 names.

DEPS_BUILD  := gcc libc6-dev make pkg-config libssl-dev libjansson-dev libyaml-dev libev-dev libarchive-dev libcurl4-openssl-dev libpcre2-dev libhiredis-dev
DEPS_RUN    := haproxy
DEPS_TEST   := openssl clang libclang-rt-14-dev libcmocka-dev varnish curl socat procps zip zsh fish redis-server redis-tools
DEPS_BENCH  := wrk redis-server redis-tools socat
DEPS_DOCS   := npm
DOC_PACKAGES := @readme/oas-examples @octokit/openapi
DEPS_LINT   := clang-tidy clang-format

.PHONY: deps demo check check-documents bench install docs lint format clean help
deps: ## install the Debian packages that building, running and testing need (sudo when not root)
	@regress/run-deps.sh $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)

# The targets below start another make after deps, so that everything asked while a makefile is
# read (pkg-config) sees what was installed a moment ago.
demo: deps ## build everything, run a gateway, show a 200, a 401 and a 403, stop it
	@echo "== building cc-gen and cc-spoa"
	@$(MAKE) --no-print-directory -s -j2 V=release programs
	@regress/run-demo.sh

check: deps ## everything that must hold: both compilers, unit tests, fuzzing, scenarios, docs
	@regress/run-check.sh

# Published by ReadMe and GitHub, fetched by npm through whatever registry it is set up for. They are not part
# of the project, and `check` does not need them.
DOCUMENTS   := $(BUILD)/documents
$(DOCUMENTS)/node_modules:
	@mkdir -p $(DOCUMENTS)
	@$(SAY) NPM $(DOCUMENTS)
	$(Q)npm install --prefix $(DOCUMENTS) --no-save --no-audit --no-fund --ignore-scripts --silent \
	    $(DOC_PACKAGES)

check-documents: deps ## build every OpenAPI document of ReadMe's examples and of GitHub (needs npm)
	@command -v npm >/dev/null || regress/run-deps.sh $(DEPS_DOCS)
	@$(MAKE) --no-print-directory -s -j2 V=san programs
	@$(MAKE) --no-print-directory -s $(DOCUMENTS)/node_modules
	@regress/run-documents.sh $(DOCUMENTS)/node_modules

bench: deps ## measure: HAProxy alone, with an agent that decides nothing, the gateway; the agent alone
	@regress/run-deps.sh $(DEPS_BENCH)
	@$(MAKE) --no-print-directory -s -j2 V=release programs tools benches
	@regress/bench/bench.sh

lint: export CFLAGS = $(BASEFLAGS)
lint: deps ## clang-tidy, gcc -fanalyzer, and the limits on the size of files and functions
	@regress/run-deps.sh $(DEPS_LINT)
	@regress/run-lint.sh

format: ## clang-format all C sources in place
	@regress/run-deps.sh $(DEPS_LINT)
	clang-format -i $$(git ls-files '*.c' '*.h')

# Committed, so that they can be read where the sources are; regress/run-docs.sh compares them.
docs: $(O)/tools/make_docs ## write the pages of the manual that are made from tables
	@mkdir -p docs/man
	$(Q)set -e; for page in configuration.md findings.md man/cc-gen.1 man/cc-spoa.8; do \
	    $(O)/tools/make_docs $${page##*/} > docs/$$page.tmp; mv docs/$$page.tmp docs/$$page; \
	done

install: programs ## install into $(DESTDIR)$(prefix)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(DESTDIR)$(docdir) \
	    $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man8
	install -m 755 $(BIN)/cc-gen $(DESTDIR)$(bindir)/cc-gen
	install -d $(DESTDIR)$(includedir)
	install -m 644 lib/enforce/cc_filter.h $(DESTDIR)$(includedir)/cc_filter.h
	install -m 755 $(BIN)/cc-spoa $(DESTDIR)$(sbindir)/cc-spoa
	install -m 644 docs/man/cc-gen.1 $(DESTDIR)$(mandir)/man1/cc-gen.1
	install -m 644 docs/man/cc-spoa.8 $(DESTDIR)$(mandir)/man8/cc-spoa.8
	for d in haproxy-templates policies examples docs; do \
	    (find $$d -type d -exec install -d '$(DESTDIR)$(docdir)/{}' \; \
	     && find $$d -type f -exec install -m 644 '{}' '$(DESTDIR)$(docdir)/{}' \;) || exit 1; \
	done
	install -m 644 README.md LICENSE $(DESTDIR)$(docdir)/
	install -d $(DESTDIR)$(datadir)/bash-completion/completions \
	    $(DESTDIR)$(datadir)/zsh/vendor-completions $(DESTDIR)$(datadir)/fish/vendor_completions.d
	$(BIN)/cc-gen completion bash >$(DESTDIR)$(datadir)/bash-completion/completions/cc-gen
	$(BIN)/cc-gen completion zsh >$(DESTDIR)$(datadir)/zsh/vendor-completions/_cc-gen
	$(BIN)/cc-gen completion fish >$(DESTDIR)$(datadir)/fish/vendor_completions.d/cc-gen.fish

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
	@echo '  V=release|san|clang|fuzz chooses a variant, e.g. make V=san units'

-include $(shell find $(O) -name '*.d' 2>/dev/null)
