# Tests: tests/unit/<stage>_<what>.c links the stage and the earlier ones; agent_<what>.c links all.

UNIT      := $(wildcard tests/unit/*.c)
UNIT_BIN  := $(patsubst %.c,$(B)/%,$(UNIT))
# The room src/txn/body has tests enough for a name of its own.
stage_of  = $(patsubst body,txn,$(firstword $(subst _, ,$(basename $(notdir $(1))))))
AGENT_LIB := $(filter-out %/main.o,$(call obj,$(AGENT)))
needs     = $(if $(filter agent,$(1)),$(AGENT_LIB) $(LIBS),$(call upto,$(1)))

$(foreach t,$(UNIT),$(eval $(B)/$(basename $(t)): $(B)/$(basename $(t)).o $(call needs,$(call stage_of,$(t)))))
$(UNIT_BIN):
	$(CC) $(SANFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# An oracle that one test wants, where it is installed.
$(B)/tests/unit/proto_libhtp: LDLIBS += -lhtp
# Its bodies are made by the compressor of each library.
$(B)/tests/unit/body_inflate: LDLIBS += -lbrotlienc
# Memory that is refused when the test says so.
$(B)/tests/unit/export_memory $(B)/tests/unit/session_page $(B)/tests/unit/body_memory \
$(B)/tests/unit/journey_rules_memory: LDLIBS += \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# Rules and carts that are played by the test.
$(B)/tests/unit/journey_stage: LDLIBS += -Wl,--wrap=rules_say,--wrap=rules_wants,--wrap=rules_in_use \
	-Wl,--wrap=rules_free,--wrap=carts_new,--wrap=carts_free,--wrap=carts_push,--wrap=carts_transaction \
	-Wl,--wrap=carts_fact,--wrap=carts_finish,--wrap=carts_clock,--wrap=carts_tick,--wrap=carts_stats

unit: $(UNIT_BIN)
	@tools/run-unit $(UNIT_BIN)

test: unit

# Fuzz targets: tests/fuzz/<stage>.c or <stage>_<what>.c, linked like a unit test of that stage, but
# everything is compiled once more by clang with the sanitizers, below $(B)/fuzz. A directory
# tests/fuzz/corpus/<target>/ holds inputs that are replayed by the ordinary check.
FUZZ       := $(wildcard tests/fuzz/*.c)
FUZZ_BIN   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ))
FUZZ_FLAGS  = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer -O1
fuzz_obj    = $(patsubst %.c,$(B)/fuzz/obj/%.o,$(1))
fuzz_src    = $(if $(filter agent,$(1)),$(filter-out %/main.c,$(AGENT)) $(SRC),$(foreach l,$(call upto,$(1)),\
	$(call sources,$(basename $(notdir $(l))))))
# The core never calls into capture; only the agent's targets need it (and its skeletons).
fuzz_needs  = $(filter-out $(if $(filter agent,$(1)),,src/capture/%),$(call fuzz_src,$(1)))

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -fno-common,$(ALL_CFLAGS)) $(FUZZ_FLAGS) -c -o $@ $<
$(call fuzz_obj,$(wildcard src/capture/*.c)): | $(SKELETONS)
$(foreach t,$(FUZZ),$(eval $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(t)): \
	$(call fuzz_obj,$(t) $(call fuzz_needs,$(call stage_of,$(t))))))
$(FUZZ_BIN):
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LDLIBS)

# Rules that the stage lets go are used again.
$(B)/fuzz/journey_stage: LDLIBS += -Wl,--wrap=rules_free

fuzz: $(FUZZ_BIN)
# Every stored input once: finds come back as tests.
corpus: $(FUZZ_BIN)
	@tools/run-fuzz 0 $(notdir $(FUZZ_BIN))
.PHONY: corpus

# The kernel side: its objects for each machine, its pure helpers on the host (tests/bpf/<what>.c)
# with the tables of each, and the tool that prints what the capture programs tell, for
# tests/live/capture_*.py.
BPF_TEST     := $(filter-out tests/bpf/capture_dump.c,$(wildcard tests/bpf/*.c))
BPF_TEST_BIN := $(foreach a,$(BPF_ARCHS),$(patsubst tests/bpf/%.c,$(B)/tests/bpf/$(a)/%,$(BPF_TEST)))
define bpf_test_for
$(B)/tests/bpf/$(1)/%: tests/bpf/%.c
	@mkdir -p $$(@D)
	$(CC) $(ALL_CFLAGS) -D__TARGET_ARCH_$(1) -Ibpf -o $$@ $$< -lcmocka
endef
$(foreach a,$(BPF_ARCHS),$(eval $(call bpf_test_for,$(a))))

$(B)/tests/bpf/capture_dump: $(B)/tests/bpf/capture_dump.o $(call upto,capture)
	$(CC) $(SANFLAGS) -o $@ $^ $(LDLIBS)

bpf-test: bpf-objects $(BPF_TEST_BIN)
	@tools/run-unit $(BPF_TEST_BIN)
test: bpf-test
.PHONY: bpf-test

# Flow: event scripts through the whole core (tests/flow/README.md).
FLOW_SRC := $(wildcard tests/flow/*.c)
$(call obj,$(FLOW_SRC)): ALL_CFLAGS += -Itests/flow
$(B)/tests/flow/flow: $(call obj,$(FLOW_SRC)) $(AGENT_LIB) $(LIBS)
	$(CC) $(SANFLAGS) -o $@ $^ $(LDLIBS)

flow: $(B)/tests/flow/flow $(B)/parcours
	@tests/flow/run $(B)/tests/flow/flow
	@tests/flow/random $(B)/tests/flow/flow 120
	@tests/flow/threads $(B)/tests/flow/flow 10 533
	@tests/flow/visits $(B)/tests/flow/flow $(B)/parcours
	@tests/flow/variants $(B)/tests/flow/flow $(if $(SAN),1,3)
test: flow
.PHONY: flow

# Figures of share/sql from facts made by hand.
sql:
	@tests/sql/run
test: sql
.PHONY: sql

# Feeds the real export stage with synthetic transactions; tests/collector/run uses it.
$(B)/tests/collector/driver: $(B)/tests/collector/driver.o $(call upto,export)
	$(CC) $(SANFLAGS) -o $@ $^ $(LDLIBS)
