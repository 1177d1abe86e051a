-- Writes, unless what is there is newer: one atomic step on the server.
-- KEYS[1]: the name.
-- ARGV: the new version; the new bytes; their time to live in milliseconds, `none` for ever, `0` over at once.
-- A version is 20 digits, beyond what a number of Lua holds exactly: it is compared in halves.
local function halves(version)
    return tonumber(string.sub(version, 1, 10)), tonumber(string.sub(version, 11, 20))
end

-- What is no string of ours has no version, whatever its type.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 22)
if type(head) == 'string' and string.sub(head, 1, 2) == 'g1' then
    local high, low = halves(string.sub(head, 4, 23))
    local new_high, new_low = halves(ARGV[1])
    if high and low and (high > new_high or (high == new_high and low > new_low)) then
        return 0
    end
end

if ARGV[3] == '0' then
    redis.call('DEL', KEYS[1])
elseif ARGV[3] == 'none' then
    redis.call('SET', KEYS[1], ARGV[2])
else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
