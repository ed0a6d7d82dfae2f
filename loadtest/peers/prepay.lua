-- The gateway's prepay in Lua. Checks that the body is one JSON object with `data`, its required members and their
-- widths, and that the bill is not paid (a key in Redis). If the answer's body is no JSON object, the caller gets the
-- gateway's code. Counts answers by code and duration. It does less than the gateway: cjson does not detect duplicate
-- members and number spellings, no trace goes upstream, nothing is logged, stages are not timed, and the 3 seconds
-- count per step.
local cjson = require "cjson.safe"
local redis = require "nginx.redis"

local prepay = { redis_port = 6379 }

local billers = { B0001 = true }
local messages = {
    E001 = "필수 파라미터가 없습니다.",
    E003 = "잘못된 빌러 식별 코드입니다.",
    E006 = "파라미터의 최대 길이가 초과했습니다.",
    E007 = "파라미터의 자리수가 맞지 않습니다.",
    E403 = "납부 가능 금액이 없습니다.",
    E807 = "[에이전시] 요청 데이터 JSON 파싱 에러",
    E808 = "[에이전시] 응답 데이터 JSON 파싱 에러",
    E809 = "[에이전시] 요청에 대한 응답 데이터를 받지 못했습니다.",
}
local counters = ngx.shared.counters
-- Upper edges of the duration's buckets, in seconds.
local edges = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3 }

local function refuse(status, code)
    ngx.ctx.res_code = code
    ngx.status = status
    ngx.header["Content-Type"] = "application/json;charset=utf-8"
    ngx.print('{"res_code":"', code, '","message":"', messages[code], '","data":null}')
    return ngx.exit(status)
end

local function is_missing(value)
    return value == nil or value == cjson.null or value == ""
end

-- Characters, not bytes: continuation bytes do not count.
local function is_longer(text, limit)
    if #text <= limit then
        return false
    end
    local _, continued = text:gsub("[\128-\191]", "")
    return #text - continued > limit
end

local function body()
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    local root = text and cjson.decode(text)
    if type(root) ~= "table" then
        return nil, "E807"
    end
    local data = root.data
    if is_missing(data) then
        return nil, "E001"
    end
    if type(data) ~= "table" then
        return nil, "E807"
    end
    return data
end

local function fault(data)
    local texts = { data.biller_user_key, data.billed_year_month, data.ordinal, data.biller_notice_key }
    for _, text in pairs(texts) do
        if text ~= cjson.null and type(text) ~= "string" then
            return "E807"
        end
    end
    if not is_missing(data.amount) and type(data.amount) ~= "number" then
        return "E807"
    end
    if is_missing(data.biller_user_key) or is_missing(data.amount) then
        return "E001"
    end
    if is_longer(data.biller_user_key, 50) then
        return "E006"
    end
    local month = data.billed_year_month
    if not is_missing(month) and not month:find("^%d%d%d%d%d%d$") then
        return "E007"
    end
    if not is_missing(data.ordinal) and is_longer(data.ordinal, 24) then
        return "E006"
    end
    if not is_missing(data.biller_notice_key) and is_longer(data.biller_notice_key, 80) then
        return "E006"
    end
end

local function text_of(value)
    return is_missing(value) and "" or value
end

-- Returns `nil` if Redis is unreachable; the call is then relayed, as in the gateway.
local function is_paid(biller, data)
    local connection = redis:new()
    connection:set_timeout(200)
    if not connection:connect("127.0.0.1", prepay.redis_port) then
        return nil
    end
    local key = table.concat({
        "paid", biller, data.biller_user_key, text_of(data.billed_year_month),
        text_of(data.ordinal), text_of(data.biller_notice_key),
    }, ":")
    local value = connection:get(key)
    connection:set_keepalive(60000, 512)
    return value and value ~= ngx.null
end

function prepay.check()
    local biller = ngx.var.uri:match("^/kakao/prepay/([%w_-]+)$")
    if not biller or not billers[biller] then
        return refuse(404, "E003")
    end
    local data, code = body()
    code = code or fault(data)
    if code then
        return refuse(code == "E807" and 400 or 200, code)
    end
    if is_paid(biller, data) then
        return refuse(200, "E403")
    end
end

-- Calls the biller and checks the whole answer before its first byte goes to the caller.
function prepay.relay()
    local answer = ngx.location.capture(ngx.var.biller, { method = ngx.HTTP_POST, always_forward_body = true })
    if answer.truncated or #answer.body == 0 then
        return refuse(answer.truncated and 502 or answer.status, "E809")
    end
    local root = answer.body:find("^%s*{") and cjson.decode(answer.body)
    if type(root) ~= "table" then
        return refuse(answer.status, "E808")
    end
    ngx.ctx.res_code = type(root.res_code) == "string" and root.res_code or "none"
    ngx.status = answer.status
    ngx.header["Content-Type"] = answer.header["Content-Type"]
    ngx.header["Retry-After"] = answer.header["Retry-After"]
    ngx.header["Content-Length"] = #answer.body
    ngx.print(answer.body)
end

function prepay.count()
    local code = ngx.ctx.res_code or "none"
    counters:incr("requests:" .. code .. ":" .. ngx.status, 1, 0)
    local took = ngx.now() - ngx.req.start_time()
    for _, edge in ipairs(edges) do
        if took <= edge then
            counters:incr("duration:" .. edge, 1, 0)
            break
        end
    end
    counters:incr("duration:sum", took, 0)
end

return prepay
