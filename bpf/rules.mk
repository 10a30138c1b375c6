# Kernel side: each family is linked with the maps into one object and becomes a skeleton.
# The object that defines the maps comes first on the line (bpftool gen object).

BPF_FAMILIES := $(filter-out maps,$(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c)))
BPF_ARCH     := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
BPF_CFLAGS   = -O2 -g -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Werror -Ibpf -Iinclude -MMD -MP
SKELETONS    := $(BPF_FAMILIES:%=$(B)/gen/%.skel.h)

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/bpf/%.o: $(B)/bpf/maps.bpf.o $(B)/bpf/%.bpf.o
	$(BPFTOOL) gen object $@ $^
$(B)/gen/%.skel.h: $(B)/bpf/%.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new && mv $@.new $@

$(call obj,$(wildcard src/capture/*.c)): | $(SKELETONS)
.PRECIOUS: $(B)/bpf/%.bpf.o $(B)/bpf/%.o $(B)/gen/%.skel.h
