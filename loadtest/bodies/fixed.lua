-- Repeats one call. Arguments: the file of the body, then header lines.
function init(arguments)
    local file = assert(io.open(arguments[1]))
    wrk.method = "POST"
    wrk.body = file:read("*l")
    file:close()
    wrk.headers["Content-Type"] = "application/json;charset=utf-8"
    for index = 2, #arguments do
        local name, value = arguments[index]:match("^(.-): (.*)$")
        wrk.headers[name] = value
    end
end
