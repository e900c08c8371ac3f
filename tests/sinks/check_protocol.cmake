# docs/PROTOCOL.md names every message of riffle.proto, every field of those that travel, and every reason a record is
# rejected for: cmake -DROOT=... -P check_protocol.cmake
cmake_minimum_required(VERSION 3.25)

file(READ ${ROOT}/docs/PROTOCOL.md text)

file(STRINGS ${ROOT}/proto/riffle.proto messages REGEX "^message [A-Za-z]+")
foreach(line IN LISTS messages)
    string(REGEX REPLACE "^message ([A-Za-z]+).*" "\\1" name "${line}")
    if(NOT text MATCHES "`(riffle\\.v1\\.)?${name}`")
        message(SEND_ERROR "docs/PROTOCOL.md: message ${name} is missing")
    endif()
endforeach()

file(STRINGS ${ROOT}/proto/prediction.h reasons REGEX "X\\(RF_REASON_[A-Z_]+, \"")
foreach(line IN LISTS reasons)
    string(REGEX REPLACE ".*X\\(RF_REASON_[A-Z_]+, \"([a-z_]+)\".*" "\\1" word "${line}")
    if(NOT text MATCHES "\\| `${word}` \\|")
        message(SEND_ERROR "docs/PROTOCOL.md: reason ${word} is missing")
    endif()
endforeach()
if(NOT messages OR NOT reasons)
    message(SEND_ERROR "nothing was found to look for")
endif()
