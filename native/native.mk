# The BPF programs (bpf/) and the addon (native/), by plain make: no node-gyp, no downloads.
# Needs clang, llvm-strip, g++, libbpf-dev, libelf-dev, zlib1g-dev, and node_modules.
.PHONY: native native-recorded native-clean native-lint native-format

native_out := build
native_objects := $(patsubst native/%.cc,$(native_out)/native/%.o,$(wildcard native/*.cc))
native_tests := $(native_out)/bpf-object-exists $(native_out)/unwind-threads $(native_out)/unsigned5 \
	$(native_out)/unit-tests $(native_out)/http-transcripts $(native_out)/hpack-tests $(native_out)/http-pace $(native_out)/http-fuzz $(native_out)/hpack-fuzz \
	$(native_out)/blind-library.so $(native_out)/signal-spinner $(native_out)/socket-calls $(native_out)/waits $(native_out)/io-calls $(native_out)/locked-calls $(native_out)/only-calls $(native_out)/refused.bpf.o
native_recorded := $(native_out)/record-stacks $(native_out)/replay-stacks $(native_out)/fuzz-stacks
native_sources := $(wildcard native/*.cc native/*.h native/testing/*.c native/testing/*.cc bpf/*.c bpf/*.h)
native_multiarch := $(shell $(CXX) -print-multiarch)

native_cxxflags := -std=c++20 -O2 -g1 -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -pthread -Wall -Wextra -Werror \
	-DNAPI_VERSION=8 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS -DBUILDING_NODE_EXTENSION \
	-Ibpf -isystem node_modules/node-api-headers/include -isystem node_modules/node-addon-api
native_bpfflags := -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra -Werror -isystem /usr/include/$(native_multiarch)

native: $(native_out)/flamegate.node $(native_out)/cpu.bpf.o $(native_out)/exec.bpf.o $(native_out)/requests.bpf.o $(native_out)/offcpu.bpf.o $(native_out)/io.bpf.o $(native_tests) ## Build the BPF objects and the addon

$(native_out)/flamegate.node: $(native_objects)
	$(CXX) -shared -pthread -Wl,--as-needed -Wl,-z,relro,-z,now -o $@.tmp $^ -lbpf -lelf -lz
	mv $@.tmp $@

$(native_out)/native/%.o: native/%.cc native/native.mk
	@mkdir -p $(@D)
	$(CXX) $(native_cxxflags) -MMD -MP -c -o $@ $<

# llvm-strip -g drops DWARF and keeps the BTF that describes the maps.
define native_compile_bpf
@mkdir -p $(@D)/native
clang $(native_bpfflags) -Ibpf -MMD -MP -MT $@ -MF $(native_out)/native/$*.bpf.d -c -o $@.tmp $<
llvm-strip -g $@.tmp
mv $@.tmp $@
endef

$(native_out)/%.bpf.o: bpf/%.bpf.c native/native.mk
	$(native_compile_bpf)

$(native_out)/%.bpf.o: native/testing/%.bpf.c native/native.mk
	$(native_compile_bpf)

# Only for tests.
$(native_out)/bpf-object-exists: native/testing/bpf_object_exists.c native/native.mk
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $< -lbpf

$(native_out)/blind-library.so: native/testing/blind_library.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -fomit-frame-pointer -fno-asynchronous-unwind-tables -o $@ $<

$(native_out)/socket-calls: native/testing/socket_calls.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

$(native_out)/waits: native/testing/waits.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

$(native_out)/io-calls: native/testing/io_calls.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

$(native_out)/only-calls: native/testing/only_calls.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

$(native_out)/locked-calls: native/testing/locked_calls.cc $(native_out)/native/lockdown.o native/native.mk
	$(CXX) $(native_cxxflags) -Inative -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d -o $@ $(filter %.cc %.o,$^)

$(native_out)/signal-spinner: native/testing/signal_spinner.c native/native.mk
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

# What the addon is made of but its edge to JavaScript; and of that, what knows neither BPF nor how to write.
native_without_js := $(filter-out $(addprefix $(native_out)/native/,addon.o addon_failure.o live_edge.o lockdown_edge.o request_addon.o),$(native_objects))
native_edges := bpf_log.o drain_thread.o exec_watch.o flag_byte.o io_probe.o lockdown.o request_watcher.o ring_drain.o sampler.o target_table.o wait_probe.o wait_scan.o
native_unwinder := $(filter-out $(addprefix $(native_out)/native/,$(native_edges)),$(native_without_js))

$(native_out)/unwind-threads: native/testing/unwind_threads.cc
$(native_out)/unit-tests: native/testing/unit_tests.cc
$(native_out)/unwind-threads $(native_out)/unit-tests: $(native_unwinder) native/native.mk
	$(CXX) $(native_cxxflags) -Inative -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d -o $@ $(filter %.cc,$^) $(native_unwinder)

# What reads HTTP, alone.
native_http := frame_reader header_blocks header_table hpack http2_connection http_head http_connection huffman \
	message_reader request_table
native_transcripts := $(addprefix native/testing/,frame_text.cc kernel_part.cc transcript.cc)
$(native_out)/http-transcripts: native/testing/http_transcripts.cc $(native_transcripts) \
		$(native_http:%=$(native_out)/native/%.o) native/native.mk
	$(CXX) $(native_cxxflags) -Inative -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d -o $@ $(filter %.cc %.o,$^)

$(native_out)/hpack-tests: native/testing/hpack_tests.cc $(native_http:%=$(native_out)/native/%.o) native/native.mk
	$(CXX) $(native_cxxflags) -Inative -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d -o $@ $(filter %.cc %.o,$^)

$(native_out)/http-pace: native/testing/http_pace.cc $(native_http:%=$(native_out)/native/%.o) native/native.mk
	$(CXX) $(native_cxxflags) -Inative -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d -o $@ $(filter %.cc %.o,$^)

native_fuzz := $(native_http) $(basename $(notdir $(native_transcripts))) http_fuzz
$(native_out)/http-fuzz: $(native_fuzz:%=$(native_out)/native/checked/%.o) native/native.mk
	$(CXX) $(native_checkedflags) -o $@ $(filter %.o,$^)

$(native_out)/hpack-fuzz: $(patsubst %,$(native_out)/native/checked/%.o,$(native_http) hpack_fuzz) native/native.mk
	$(CXX) $(native_checkedflags) -o $@ $(filter %.o,$^)

# Recorded stacks (docs/jvm-layouts.md). The linker puts our answers in place of the system calls by which the unwinder
# reaches another process; whoever replays is built with sanitizers.
native_wrapped := -Wl,--wrap=process_vm_readv
native_recording := $(addprefix native/testing/,stack_recording.cc one_stack.cc)
native_checkedflags := $(filter-out -O2,$(native_cxxflags)) -Inative -O1 -D_GLIBCXX_ASSERTIONS \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
native_checked := $(patsubst $(native_out)/native/%,$(native_out)/native/checked/%,$(native_unwinder)) \
	$(patsubst native/testing/%.cc,$(native_out)/native/checked/%.o,$(native_recording) native/testing/replayed_process.cc)

native-recorded: $(native_recorded) ## Build what records stacks and replays them

$(native_out)/record-stacks: native/testing/record_stacks.cc native/testing/different_stacks.cc $(native_recording) \
		$(native_without_js) native/native.mk
	$(CXX) $(native_cxxflags) -Inative $(native_wrapped),--wrap=ring_buffer__new -o $@ $(filter %.cc %.o,$^) -lbpf -lelf -lz

$(native_out)/native/checked/%.o: native/%.cc native/native.mk
	@mkdir -p $(@D)
	$(CXX) $(native_checkedflags) -MMD -MP -c -o $@ $<

$(native_out)/native/checked/%.o: native/testing/%.cc native/native.mk
	@mkdir -p $(@D)
	$(CXX) $(native_checkedflags) -MMD -MP -c -o $@ $<

$(native_out)/replay-stacks: native/testing/replay_stacks.cc
$(native_out)/fuzz-stacks: native/testing/fuzz_stacks.cc
$(native_out)/replay-stacks $(native_out)/fuzz-stacks: $(native_checked) native/native.mk
	$(CXX) $(native_checkedflags) $(native_wrapped),--wrap=open -MMD -MP -MT $@ -MF $(native_out)/native/$(@F).d \
		-o $@ $(filter %.cc,$^) $(native_checked)

$(native_out)/unsigned5: native/testing/unsigned5.cc native/unsigned5.h native/native.mk
	$(CXX) $(native_cxxflags) -Inative -o $@ $<

native-clean: ## Remove what `native` builds
	rm -rf $(native_out)/native $(native_out)/flamegate.node $(native_out)/cpu.bpf.o $(native_out)/exec.bpf.o $(native_out)/requests.bpf.o $(native_out)/offcpu.bpf.o $(native_out)/io.bpf.o $(native_tests) $(native_recorded)

native-lint: ## Check the format of C and C++
	clang-format --dry-run -Werror $(native_sources)

native-format: ## Format C and C++
	clang-format -i $(native_sources)

-include $(wildcard $(native_out)/native/*.d $(native_out)/native/checked/*.d)
