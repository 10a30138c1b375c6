# Lint: format, layers, sizes, banned words, opening comments, scripts, cppcheck (all in tools/lint).

lint:
	@tools/lint

# Puts our files into the form that lint checks.
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
.PHONY: format
