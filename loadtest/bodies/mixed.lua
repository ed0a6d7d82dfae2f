-- Repeats several calls in turn, each with a fixed body. Arguments, per call: `--call`, its path, the file of its
-- body, then header lines.
local requests, turn = {}, 0

local function read(file)
    local opened = assert(io.open(file))
    local line = opened:read("*l")
    opened:close()
    return line
end

function init(arguments)
    local at = 1
    while arguments[at] == "--call" do
        local path, body = arguments[at + 1], read(arguments[at + 2])
        local headers = { ["Content-Type"] = "application/json;charset=utf-8" }
        at = at + 3
        while arguments[at] and arguments[at] ~= "--call" do
            local name, value = arguments[at]:match("^(.-): (.*)$")
            headers[name] = value
            at = at + 1
        end
        requests[#requests + 1] = wrk.format("POST", path, headers, body)
    end
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end
