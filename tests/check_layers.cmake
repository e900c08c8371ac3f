# The layers of the design, checked: cmake -DROOT=... -P check_layers.cmake
cmake_minimum_required(VERSION 3.25)

set(may_use_proto     proto)
set(may_use_ingest    proto ingest)
set(may_use_learners  proto learners)
set(may_use_sinks     proto sinks)
set(may_use_ops       proto ingest learners sinks ops)
set(may_use_tests     proto ingest learners sinks ops tests)

set(top_level
    proto ingest learners sinks ops tests docs .ci CMakeLists.txt CMakePresets.json README.md LICENSE CHANGELOG.md
    CONTRIBUTING.md .clang-format .clang-tidy .gitignore)

set(include "^[ \t]*#[ \t]*include[ \t]*")

# Which folder may include which, and every include is spelled from the root.
foreach(folder proto ingest learners sinks ops tests)
    file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h)
    foreach(file IN LISTS files)
        file(STRINGS ${ROOT}/${file} lines REGEX "${include}\"")
        foreach(line IN LISTS lines)
            if(NOT line MATCHES "${include}\"([a-z]+)/[a-z_0-9/]+\\.[a-z]+\"")
                message(SEND_ERROR "${file}: ${line} is not spelled from the root")
            elseif(NOT CMAKE_MATCH_1 IN_LIST may_use_${folder})
                message(SEND_ERROR "${file}: ${folder}/ may not include ${CMAKE_MATCH_1}/")
            endif()
        endforeach()

        # A foreign library's header stays in the files named after it.
        foreach(owned "librdkafka/|_kafka\\.c$" "zmq\\.h|_zeromq\\.c$" "curl/|_curl\\.c$" "cblas\\.h|^learners/kernels[a-z_0-9]*\\.c$")
            string(REPLACE "|" ";" owned "${owned}")
            list(GET owned 0 header)
            list(GET owned 1 owner)
            file(STRINGS ${ROOT}/${file} lines REGEX "${include}[<\"]${header}")
            if(lines AND NOT file MATCHES "${owner}")
                list(GET lines 0 line)
                message(SEND_ERROR "${file}: ${line} belongs in files like ${owner}")
            endif()
        endforeach()
    endforeach()
endforeach()

# A file is known by its name alone.
set(names)
foreach(folder proto ingest learners sinks ops tests)
    file(GLOB_RECURSE files RELATIVE ${ROOT}
        ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.py ${ROOT}/${folder}/*.sh ${ROOT}/${folder}/*.proto)
    foreach(file IN LISTS files)
        get_filename_component(name ${file} NAME)
        if(name IN_LIST names)
            message(SEND_ERROR "${file}: another file is called ${name} too")
        endif()
        list(APPEND names ${name})
    endforeach()
endforeach()

# The top level is the one of the design; what .gitignore names there is not ours.
set(ignored .git)
if(EXISTS ${ROOT}/.gitignore)
    file(STRINGS ${ROOT}/.gitignore lines REGEX "^/[^/]+/?$")
    foreach(line IN LISTS lines)
        string(REPLACE "/" "" line "${line}")
        list(APPEND ignored ${line})
    endforeach()
endif()
file(GLOB entries RELATIVE ${ROOT} ${ROOT}/*)
foreach(entry IN LISTS entries)
    if(NOT entry IN_LIST top_level AND NOT entry IN_LIST ignored)
        message(SEND_ERROR "${entry}: not an entry of the top level")
    endif()
endforeach()
foreach(entry IN LISTS top_level)
    if(NOT EXISTS ${ROOT}/${entry})
        message(SEND_ERROR "${entry}: missing at the top level")
    endif()
endforeach()
