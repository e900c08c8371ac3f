# How a folder becomes a library, a file a test, and which flags all of them get.

set(CMAKE_C_VISIBILITY_PRESET hidden)
add_library(rf_flags INTERFACE)
target_compile_options(rf_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    -ffp-contract=off -fno-math-errno -fno-omit-frame-pointer)
target_compile_definitions(rf_flags INTERFACE _GNU_SOURCE RF_RELEASE="${PROJECT_VERSION}")
target_include_directories(rf_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(RF_WERROR)
    target_compile_options(rf_flags INTERFACE -Werror)
endif()
if(RF_SANITIZE)
    target_compile_options(rf_flags INTERFACE -fsanitize=${RF_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(rf_flags INTERFACE -fsanitize=${RF_SANITIZE})
endif()
if(RF_COVERAGE)
    target_compile_options(rf_flags INTERFACE --coverage)
    target_link_options(rf_flags INTERFACE --coverage)
endif()
if(RF_FUZZ)
    target_compile_options(rf_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# rf_library(name SOURCES ... [PUBLIC ...] [PRIVATE ...]) makes rf_<name>, known as riffle::<name>.
function(rf_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(rf_${name} STATIC ${arg_SOURCES})
    add_library(riffle::${name} ALIAS rf_${name})
    target_link_libraries(rf_${name} PUBLIC ${arg_PUBLIC} PRIVATE $<BUILD_INTERFACE:rf_flags> ${arg_PRIVATE})
endfunction()

# rf_export(target): its objects are good for a shared library too, at no cost to the program: calls within them stay direct.
function(rf_export target)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET default)
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endfunction()

# rf_test(folder/test_unit [LIBRARIES ...] [LABELS ...] [SOURCES ...] [TIMEOUT s]) makes one program a unit, known to ctest by
# its path. A test that exits with 77 is skipped, and says why.
function(rf_test path)
    cmake_parse_arguments(arg "" "TIMEOUT" "LIBRARIES;LABELS;SOURCES" ${ARGN})
    string(REPLACE "/" "_" target ${path})
    get_filename_component(folder ${path} DIRECTORY)
    add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/${path}.c ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE rf_flags PkgConfig::cmocka m ${arg_LIBRARIES})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${path} COMMAND ${target})
    set_tests_properties(${path} PROPERTIES LABELS "${folder};${arg_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "RIFFLE_DATA=${RF_DATA}")
endfunction()

# rf_fuzz(name LIBRARIES ...): tests/fuzz/fuzz_<name>.c becomes a libFuzzer target under the fuzz preset; everywhere else
# it replays the corpus in tests/fuzz/corpus/<name>/ as a plain test.
function(rf_fuzz name)
    cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
    set(source ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
    set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    if(RF_FUZZ)
        add_executable(fuzz_${name} ${source})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(fuzz_${name} ${source} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_corpus.c)
        add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${corpus})
        set_tests_properties(fuzz/${name} PROPERTIES LABELS "fuzz" TIMEOUT 120)
    endif()
    target_link_libraries(fuzz_${name} PRIVATE rf_flags m ${arg_LIBRARIES})
endfunction()

# rf_pipeline_test(name [TIMEOUT s]): tests/pipeline/<name>.py runs the program against a real Kafka broker. One at a time.
function(rf_pipeline_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    find_program(RF_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH) # the one that Debian's python3-zmq belongs to
    find_program(RF_PYTHON python3 REQUIRED)
    add_test(NAME pipeline/${name} COMMAND ${RF_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/pipeline/${name}.py)
    set_tests_properties(pipeline/${name} PROPERTIES LABELS "pipeline;kafka" RESOURCE_LOCK kafka SKIP_RETURN_CODE 77
        TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "RIFFLE_BIN=$<TARGET_FILE:riffle>;RIFFLE_DATA=${RF_DATA};RIFFLE_KAFKA=${PROJECT_SOURCE_DIR}/build/kafka;RIFFLE_PYTHON=${PROJECT_SOURCE_DIR}/build/python;RIFFLE_SANITIZE=${RF_SANITIZE}")
endfunction()
