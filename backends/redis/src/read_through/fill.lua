-- Stores what a reader loaded, if the marks are those of its look-up and no write holds them. Releases its lease in any case.
-- KEYS[1]: the entry. KEYS[2]: its lease. KEYS[3…]: the mark and the holds of each key that it needs the mark of.
-- ARGV[2]: the token of the lease, or nothing. ARGV[3]: the time to live. ARGV[4]: the bytes of the entry; nothing if it may not be stored.
-- ARGV[5…]: the marks of the look-up.
-- Returns 1 if it was stored, otherwise 0.
local token, ttl, tail = ARGV[2], tonumber(ARGV[3]), ARGV[4]
if token ~= '' and lease_of(KEYS[2]) == token then
    redis.call('DEL', KEYS[2])
end
if tail == '' then
    return 0
end
for i = 1, #KEYS / 2 - 1 do
    if mark_of(KEYS[2 * i + 1]) ~= ARGV[4 + i] or holds_of(KEYS[2 * i + 2]) then
        return 0
    end
end
for i = 1, #KEYS / 2 - 1 do
    keep(KEYS[2 * i + 1], ttl)
end
set_entry(KEYS[1], tail, ttl)
return 1
