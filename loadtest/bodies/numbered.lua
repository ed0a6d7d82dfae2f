-- Each call has a number of its own, written wherever the body says @NUMBER@; NUMBER_FROM in the
-- environment is where it begins, of ten digits. Arguments: the file of the body, then header lines.
local parts, number

function init(arguments)
    local file = assert(io.open(arguments[1]))
    local body = file:read("*l")
    file:close()
    number = tonumber(os.getenv("NUMBER_FROM") or "1000000000")
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json;charset=utf-8"
    for index = 2, #arguments do
        local name, value = arguments[index]:match("^(.-): (.*)$")
        wrk.headers[name] = value
    end
    -- The head and the body are put together once: the number always has ten digits.
    local sample = wrk.format(nil, nil, nil, (body:gsub("@NUMBER@", "@@@@@@@@@@")))
    parts = {}
    local from = 1
    while true do
        local first, last = sample:find("@@@@@@@@@@", from, true)
        if not first then
            break
        end
        parts[#parts + 1] = sample:sub(from, first - 1)
        from = last + 1
    end
    parts[#parts + 1] = sample:sub(from)
end

function request()
    number = number + 1
    return table.concat(parts, string.format("%010d", number))
end
