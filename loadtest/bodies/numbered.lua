-- Replaces @NUMBER@ in path and body by a number of ten digits, another one in each call. Environment variables:
-- NUMBER_FROM, the first number; NUMBER_SPAN, optional, the count after which numbers repeat, in a scattered order
-- that begins at its place NUMBER_TURN; CALL_PATH, the path. Arguments: the file of the body, then header lines.
local STRIDE = 7919 -- a prime, so that every number of the span occurs once before one repeats
local MARK = "@NUMBER@@@"
local parts, first, span, step

local function cut(text)
    local found, from = {}, 1
    while true do
        local begins, ends = text:find(MARK, from, true)
        if not begins then
            break
        end
        found[#found + 1] = text:sub(from, begins - 1)
        from = ends + 1
    end
    found[#found + 1] = text:sub(from)
    return found
end

function init(arguments)
    local file = assert(io.open(arguments[1]))
    -- The mark is as wide as a number, so that the head's Content-Length fits every call.
    local body = file:read("*l"):gsub("@NUMBER@", MARK)
    local path = os.getenv("CALL_PATH"):gsub("@NUMBER@", MARK)
    file:close()
    first, span = tonumber(os.getenv("NUMBER_FROM")), tonumber(os.getenv("NUMBER_SPAN"))
    step = tonumber(os.getenv("NUMBER_TURN") or "0")
    wrk.headers["Content-Type"] = "application/json;charset=utf-8"
    for index = 2, #arguments do
        local name, value = arguments[index]:match("^(.-): (.*)$")
        wrk.headers[name] = value
    end
    parts = cut(wrk.format("POST", path, nil, body))
end

function request()
    step = step + 1
    local number = span and first + step * STRIDE % span or first + step
    return table.concat(parts, string.format("%010d", number))
end
