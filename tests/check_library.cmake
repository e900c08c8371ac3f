# What is installed is enough for a stranger: every public header compiles alone, and the example builds with what pkg-config
# says, runs, and prints what it should. cmake -DROOT=... -DBUILD=... -DSCRATCH=... -DCC=... -P check_library.cmake
cmake_minimum_required(VERSION 3.25)

function(run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what}: ${result}\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

set(flags -std=c17 -Wall -Wextra -Wpedantic -Werror)
if(SANITIZE)
    list(APPEND flags -fsanitize=${SANITIZE})
endif()

file(REMOVE_RECURSE ${SCRATCH})
run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH})
run("riffle" ${SCRATCH}/bin/riffle --version)

set(include ${SCRATCH}/include/riffle)
file(GLOB_RECURSE headers RELATIVE ${include} ${include}/*.h)
list(LENGTH headers count)
if(count LESS 10)
    message(FATAL_ERROR "only ${count} headers were installed: ${headers}")
endif()
foreach(header IN LISTS headers)
    file(WRITE ${SCRATCH}/alone.c "#include <${header}>\n")
    run("${header} alone" ${CC} ${flags} -I${include} -fsyntax-only ${SCRATCH}/alone.c)
endforeach()

set(ENV{PKG_CONFIG_PATH} ${SCRATCH}/${LIBDIR}/pkgconfig)
run("pkg-config" pkg-config --cflags --libs riffle-learners)
separate_arguments(words UNIX_COMMAND "${output}")
run("the example" ${CC} ${flags} -o ${SCRATCH}/learn ${ROOT}/docs/examples/learn.c ${words})
set(ENV{LD_LIBRARY_PATH} ${SCRATCH}/${LIBDIR})
run("learn" ${SCRATCH}/learn)
string(CONCAT expected
    "day 984: ice cream sells with probability 0.00, and it did not\n"
    "day 985: ice cream sells with probability 1.00, and it did\n"
    "day 986: ice cream sells with probability 0.00, and it did not\n"
    "day 987: ice cream sells with probability 0.01, and it did not")
if(NOT output STREQUAL expected)
    message(FATAL_ERROR "the example printed\n${output}\ninstead of\n${expected}")
endif()

# Nothing is exported that does not bear our name.
run("nm" nm --dynamic --defined-only --format=posix ${SCRATCH}/${LIBDIR}/libriffle-learners.so)
string(REPLACE "\n" ";" symbols "${output}")
foreach(symbol IN LISTS symbols)
    if(NOT symbol MATCHES "^rf_")
        message(FATAL_ERROR "the library exports ${symbol}")
    endif()
endforeach()
if(NOT output MATCHES "rf_learner_fold T")
    message(FATAL_ERROR "the library does not export rf_learner_fold")
endif()
