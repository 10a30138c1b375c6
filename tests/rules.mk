# Tests: tests/unit/<stage>_<what>.c links the stage and the earlier ones; agent_<what>.c links all.

UNIT      := $(wildcard tests/unit/*.c)
UNIT_BIN  := $(patsubst %.c,$(B)/%,$(UNIT))
stage_of  = $(firstword $(subst _, ,$(basename $(notdir $(1)))))
AGENT_LIB := $(filter-out %/main.o,$(call obj,$(AGENT)))
needs     = $(if $(filter agent,$(1)),$(AGENT_LIB) $(LIBS),$(call upto,$(1)))

$(foreach t,$(UNIT),$(eval $(B)/$(basename $(t)): $(B)/$(basename $(t)).o $(call needs,$(call stage_of,$(t)))))
$(UNIT_BIN):
	$(CC) $(SANFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

unit: $(UNIT_BIN)
	@tools/run-unit $(UNIT_BIN)

test: unit
