-- Releases the names that the call has claimed and not answered.
for _, name in ipairs(KEYS) do
    local state, is_own = state_of(name)
    if is_own and state == 'running' then
        redis.call('DEL', name)
    end
end
return 1
