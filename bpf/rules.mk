# Kernel side: each family is linked with the maps into one object and becomes a skeleton.
# The object that defines the maps comes first on the line (bpftool gen object).

BPF_FAMILIES := $(filter-out maps,$(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c)))
BPF_ARCH     := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
BPF_ARCHS    := x86 arm64
# v3: compare-and-swap; kernels since 5.12 run it.
BPF_FLAGS     = -O2 -g -target bpf -mcpu=v3 -Wall -Werror -Ibpf -Iinclude -MMD -MP
BPF_CFLAGS    = $(BPF_FLAGS) -D__TARGET_ARCH_$(BPF_ARCH)
SKELETONS    := $(BPF_FAMILIES:%=$(B)/gen/%.skel.h)

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/bpf/%.o: $(B)/bpf/maps.bpf.o $(B)/bpf/%.bpf.o
	$(BPFTOOL) gen object $@ $^
$(B)/gen/%.skel.h: $(B)/bpf/%.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new && mv $@.new $@

# The same for each machine that calls.h and kernel.h know, whichever this one is: $(B)/bpf/<machine>/.
define bpf_for
$(B)/bpf/$(1)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $$(@D)
	$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(1) -c -o $$@ $$<
$(B)/bpf/$(1)/%.o: $(B)/bpf/$(1)/maps.bpf.o $(B)/bpf/$(1)/%.bpf.o
	$(BPFTOOL) gen object $$@ $$^
bpf-objects: $(BPF_FAMILIES:%=$(B)/bpf/$(1)/%.o)
.PRECIOUS: $(B)/bpf/$(1)/%.bpf.o $(B)/bpf/$(1)/%.o
endef
$(foreach a,$(BPF_ARCHS),$(eval $(call bpf_for,$(a))))
.PHONY: bpf-objects

$(call obj,$(wildcard src/capture/*.c)): | $(SKELETONS)
.PRECIOUS: $(B)/bpf/%.bpf.o $(B)/bpf/%.o $(B)/gen/%.skel.h
