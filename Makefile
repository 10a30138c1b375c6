# Builds build/parcours. One static library a stage, in the order of the flow; a test of a stage links
# that stage and the earlier ones only, so the layers hold by construction.
#
#   make            the programs          make test     unit, cases, bpf, flow, corpus replay
#   make lint       format, layers, sizes make fuzz     fuzzers into $(B)/fuzz
#   make bench      tables, by hand       make soak     long runs, by hand
#
# B=dir builds elsewhere; SAN=1 adds ASan and UBSan (its own directory).

B       ?= build
ifdef SAN
B       := $(B)-san
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
CC      ?= cc
CLANG   ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
CFLAGS  ?= -O2 -g
VERSION := $(shell cat VERSION)
ALL_CFLAGS = -std=gnu11 $(CFLAGS) -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wno-unused-parameter -Wno-missing-field-initializers -fno-common -fno-strict-aliasing \
	-D_GNU_SOURCE -include base/poison.h -DPARCOURS_VERSION='"$(VERSION)"' -Isrc -Iinclude -I$(B)/gen $(SANFLAGS) -MMD -MP
LDLIBS  = -lbpf -lelf -lz -lbrotlidec -lzstd -lpcre2-8 -lcurl -lyaml -lmaxminddb -lcap -lcrypto -lm -lpthread

STAGES  := base capture stream tls proto txn trace session journey export
# A stage may have rooms of its own below its folder, and these rooms of theirs.
sources = $(wildcard src/$(1)/*.c src/$(1)/*/*.c src/$(1)/*/*/*.c)
SRC     := $(foreach s,$(STAGES),$(call sources,$(s)))
AGENT   := $(wildcard src/agent/*.c src/agent/*/*.c)
obj     = $(patsubst %.c,$(B)/%.o,$(1))
lib     = $(B)/lib/$(1).a
# Libraries of a stage and all earlier ones, the latest first (link order).
upto    = $(call lib,$(1)) $(if $(filter-out base,$(1)),$(call upto,$(call before,$(1))))
before  = $(word $(call dec,$(call index,$(1))),$(STAGES))
index   = $(words $(call upto_,$(1),$(STAGES)))
upto_   = $(if $(filter $(firstword $(2)),$(1)),x,x $(call upto_,$(1),$(wordlist 2,99,$(2))))
dec     = $(words $(wordlist 2,$(1),$(STAGES)))
LIBS    := $(call upto,export)

.PHONY: all test unit lint fuzz bench soak clean
all: $(B)/parcours
$(foreach s,$(STAGES),$(eval $(B)/lib/$(s).a: $(call obj,$(call sources,$(s)))))
$(B)/lib/%.a:
	@mkdir -p $(@D); rm -f $@; $(AR) rcs $@ $(filter %.o,$^)

$(B)/parcours: $(call obj,$(AGENT)) $(LIBS)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $(call obj,$(AGENT)) $(LIBS) $(LDLIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

include bpf/rules.mk
include tests/rules.mk
include tools/rules.mk
include tests/bench/rules.mk

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
