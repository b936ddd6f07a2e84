# Copies the test to COPY and installs exactly the locked packages there. Called by CTest.
file(GLOB files "${SOURCE}/*.js" "${SOURCE}/package.json" "${SOURCE}/package-lock.json" "${SOURCE}/.npmrc"
     "${SOURCE}/../../client/examples/node/values.mjs")
file(COPY ${files} DESTINATION "${COPY}")
execute_process(COMMAND "${NPM}" ci --ignore-scripts --prefer-offline WORKING_DIRECTORY "${COPY}" RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "npm ci failed: ${result}")
endif()
