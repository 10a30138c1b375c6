# Tables of ratios (bench) and long runs (soak): by hand, as root, on a machine that does nothing else.

CORE_BENCH  := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/core_*.c))
BENCH_TOOLS := $(CORE_BENCH) $(B)/tests/bench/micro $(B)/tests/bench/empty.bpf.o

$(B)/tests/bench/micro: $(B)/tests/bench/micro.o $(call upto,capture)
	$(CC) -o $@ $^ $(LDLIBS)
$(B)/tests/bench/empty.bpf.o: tests/bench/empty.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

bench: all $(BENCH_TOOLS)
	tests/bench/bench.py
soak: all
	tests/bench/soak.py

# core_<stage>.c, core_<stage>_<what>.c: one stage by itself, no kernel, no root.
$(foreach t,$(CORE_BENCH),$(eval $(t): $(t).o $(call upto,$(call stage_of,$(patsubst core_%,%,$(notdir $(t)))))))
# Counts what is allocated.
$(B)/tests/bench/core_journey_rules: LDLIBS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$(CORE_BENCH):
	$(CC) -o $@ $^ $(LDLIBS)
