# cc-gateway: `make help` says what there is.
#
# One Makefile, no recursion into folders: sources are found by folder, so a new .c file needs no
# entry here. V chooses a variant, each with its own tree under build/:
#   release  gcc, optimised and hardened: build/bin/            (what users run)
#   san      gcc with ASan and UBSan: what unit tests and scenarios run
#   clang    clang, warnings only: catches what gcc does not
#   fuzz     clang with libFuzzer, ASan and UBSan

SHELL       := /bin/bash
.DEFAULT_GOAL := all
V           ?= release
BUILD       ?= build
prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
sbindir     ?= $(prefix)/sbin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
VERSION     := 0.1.0

PKGS        := libcrypto jansson yaml-0.1
WARN        := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
               -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef -Werror
BASEFLAGS   := -std=c11 -D_GNU_SOURCE -DCC_VERSION='"$(VERSION)"' -Ilib -I. -g $(WARN) \
               $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS        := -lssl $(shell pkg-config --libs $(PKGS) 2>/dev/null || echo -lcrypto -ljansson -lyaml) -lpthread
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
TOOL_SRC    := $(sort $(wildcard regress/tools/*.c))
UNIT_SRC    := $(sort $(wildcard regress/unit/*/test_*.c))
FUZZ_SRC    := $(sort $(wildcard regress/fuzz/fuzz_*.c))
BENCH_SRC   := $(sort $(wildcard regress/bench/*.c))

LIB_OBJ     := $(LIB_SRC:%.c=$(O)/%.o)
GEN_OBJ     := $(GEN_SRC:%.c=$(O)/%.o) $(O)/generator/templates.gen.o
SPOA_OBJ    := $(SPOA_SRC:%.c=$(O)/%.o)
UNIT_BIN    := $(UNIT_SRC:regress/unit/%.c=$(O)/unit/%)
FUZZ_BIN    := $(FUZZ_SRC:regress/fuzz/%.c=$(O)/fuzz/%)
TOOL_BIN    := $(TOOL_SRC:regress/tools/%.c=$(O)/tools/%)
BENCH_BIN   := $(BENCH_SRC:regress/bench/%.c=$(O)/bench/%)
ARCHIVES    := $(O)/libgen.a $(O)/libspoa.a $(O)/libcc.a

.PHONY: all programs units fuzzers tools benches
.SECONDARY:
all: programs
programs: $(BIN)/cc-gen $(BIN)/cc-spoa
units: $(UNIT_BIN)
fuzzers: $(FUZZ_BIN)
tools: $(TOOL_BIN)
benches: $(BENCH_BIN)

$(BIN)/cc-gen: $(O)/generator/main.o $(O)/libgen.a $(O)/libcc.a
$(BIN)/cc-spoa: $(O)/spoa/main.o $(O)/libspoa.a $(O)/libcc.a
$(BIN)/cc-spoa: LDLIBS += -lev
$(BIN)/%:
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LIBS)

# The default templates are part of cc-gen, so that an installed program never misses them.
$(O)/generator/templates.gen.c: $(TEMPLATES) generator/embed.sh
	@mkdir -p $(@D)
	generator/embed.sh $(TEMPLATES) > $@.tmp && mv $@.tmp $@
$(O)/generator/templates.gen.o: $(O)/generator/templates.gen.c
	$(CC) $(BASEFLAGS) $(CFLAGS) $(FLAGS) -c -o $@ $<

$(O)/libcc.a: $(LIB_OBJ)
$(O)/libgen.a: $(GEN_OBJ)
$(O)/libspoa.a: $(SPOA_OBJ)
$(O)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASEFLAGS) $(CFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<

$(O)/unit/%: $(O)/regress/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lcmocka -lev $(LIBS)
$(O)/tools/%: $(O)/regress/tools/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lev $(LIBS)
$(O)/bench/%: $(O)/regress/bench/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) -lev $(LIBS)
$(O)/fuzz/%: $(O)/regress/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(ARCHIVES) -lev $(LIBS)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
