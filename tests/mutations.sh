#!/bin/bash
# Takes one check after the other out of the verifier and expects the tests to notice: a check that nothing misses when it is gone is not
# tested. Each line below is FILE ::: TEXT ::: INSTEAD; the text stands in the file exactly once. The last line says how many were caught.
set -u
cd "$(dirname "$0")/.." || exit 1
scratch=$(mktemp -d /tmp/ferry-mutations.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
CC=${CC:-gcc}
flags="-std=gnu17 -O0 -w -I. -D_GNU_SOURCE"
tests="attacks verifier role scheme delegation target canonical"

mutations() {
    cat <<'TABLE'
canonical.c ::: qsort(names, n, sizeof *names, by_bytes); ::: (void)by_bytes;
canonical.c ::: text[i] != '"' && text[i] != '\\' ::: text[i] != '"'
canonical.c ::: case JSON_REAL:    break; ::: case JSON_REAL:    return OK;
scheme.c ::: return schemes[i].ferry || !strict(p) ? &schemes[i] : NULL; ::: return &schemes[i];
scheme.c ::: good = is_p256(key); ::: good = true;
scheme.c ::: EVP_PKEY_get_bits(key) >= RSA_LEAST ::: EVP_PKEY_get_bits(key) >= 1
scheme.c ::: EVP_PKEY_get_base_id(key) == s->kind ::: EVP_PKEY_get_base_id(key) != 0
scheme.c ::: EVP_DigestVerify(digest, signature, length, bytes, size) == 1 ::: true
scheme.c ::: key_verify(k->print.b, bytes, size, signature) ::: true
scheme.c ::: if (good && s->padding == PSS) ::: if (false)
role.c ::: if (json_integer_value(threshold) < 1) ::: if (false)
role.c ::: if (strict(p) && !is_hash_of(id, json)) ::: if (false)
role.c ::: if (twice && strict(p)) ::: if (false)
role.c ::: if (seen[i] && sha256_same(&s->keys[i].key.print, &s->keys[key].key.print)) ::: if (false)
role.c ::: if (!code && good < s->threshold) ::: if (!code && good < 1)
role.c ::: if (verdict == PUBLIC_UNKNOWN || (verdict == PUBLIC_BROKEN && !strict(p))) ::: if (false)
role.c ::: if (!code && strict(p) && out->threshold > (int64_t)out->distinct) ::: if (false)
role.c ::: json_array_size(signatures) > SIGNATURES_MOST ::: false
role.c ::: if (!found || strcmp(found, type)) ::: if (!found)
role.c ::: if (!is_spec_1(spec)) ::: if (false)
role.c ::: || r->version < 1 || ::: ||
role.c ::: r->version == INT64_MAX ::: false
role.c ::: if (!expiry_read(expires, &r->expires)) ::: r->expires = INT64_MAX; if (false)
role.c ::: if (!strcmp(s->keys[i].id, id)) ::: if (true)
role.c ::: == n && !is_top(name); ::: == n;
role.c ::: n && n <= ROLE_NAME && !is_top(name) ::: n && n <= ROLE_NAME
role.c ::: strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n ::: true
role.c ::: return strict(p) ? top[i].ferry : top[i].general; ::: return top[i].general;
trust_root.c ::: if (!code && next->version != now->version + 1) ::: if (!code && next->version <= now->version)
trust_root.c ::: if (!code && next->version != now->version + 1) ::: if (!code && next->version > now->version + 1)
trust_root.c ::: enum err code = root_check(p, next, now, "root", e); ::: enum err code = OK;
trust_root.c ::: code = code ? code : root_check(p, out, out, "root", e); ::: ;
trust_root.c ::: if (strict(p) && !root_consistent(out)) ::: if (false)
trust_root.c ::: code = root_signer(p, out, roles[i], &s, e); ::: ;
trust_root.c ::: !all_among(&a, &b) || !all_among(&b, &a) ::: false
announced.c ::: if (!json_is_object(meta)) ::: if (false)
announced.c ::: if (!json_is_integer(json_object_get(line, "version")) || version_of(line) < 1) ::: if (false)
announced.c ::: if (length && (!json_is_integer(length) || json_integer_value(length) < 1)) ::: if (false)
announced.c ::: if (strict(p) && (!length || !json_object_get(hashes, "sha256"))) ::: if (false)
announced.c ::: (strict(p) && json_object_size(meta) != 1) ::: false
announced.c ::: if (size && json_integer_value(size) != (json_int_t)length) ::: if (false)
announced.c ::: if (hashes && !digest_matches(hashes, bytes, length)) ::: if (false)
announced.c ::: if (!now) ::: if (false)
announced.c ::: if (version_of(now) < version_of(was)) ::: if (false)
announced.c ::: return length > 0 && (uint64_t)length < limit ? (size_t)length : limit; ::: return limit;
digest.c ::: !memcmp(wanted, real, size) ::: true
digest.c ::: return known > 0; ::: return true;
digest.c ::: strspn(hex, "0123456789abcdef") == strlen(hex) ::: true
delegation.c ::: || (*pattern == '?' && *path != '/') ::: || *pattern == '?'
delegation.c ::: } else if (star && *from != '/') { ::: } else if (star) {
delegation.c ::: return !*pattern; ::: return true;
delegation.c ::: return *prefix && !strncmp ::: return !strncmp
delegation.c ::: if (!pattern_ok(json_string_value(json_array_get(paths, i)))) ::: if (false)
delegation.c ::: if (!json_is_true(json_object_get(role, "terminating"))) ::: if (false)
delegation.c ::: if (!paths == !prefixes || !all_texts(paths ? paths : prefixes) || !json_is_boolean(terminating)) ::: if (false)
delegation.c ::: json_integer_value(json_object_get(role, "threshold")) < 1 ::: false
delegation.c ::: if (!name || !role_name_fits(p, name)) ::: if (!name)
delegation.c ::: if (!code && json_object_get(names, json_string_value(name))) ::: if (false)
delegation.c ::: || n > most) ::: )
search.c ::: last = json_is_true(json_object_get(role, "terminating")); ::: last = false;
search.c ::: if (last || !delegation_allows(role, s->target)) ::: if (last)
search.c ::: return json_object_get(s->visited, json_string_value(json_object_get(v->role, "name"))) != NULL; ::: return s->count > 200;
search.c ::: drop_below(s, begin); ::: ;
delegation.c ::: number >> (32 - bits) ::: number
delegation.c ::: if (bins && (roles || !bins_ok(bins))) ::: if (false)
search.c ::: if (json_object_size(s->visited) == SEARCH_ROLES) ::: if (false)
search.c ::: if (!hash || !json_is_integer(size) || json_integer_value(size) < 0) ::: if (!hash)
search.c ::: *out = percent_encode(plain, true); ::: *out = must_copy(plain);
target.c ::: if (delegation_allows(all[i].role, target)) ::: if (false)
target.c ::: return delegation_allows(all[at].role, target); ::: return true;
target.c ::: if (!target_name_ok(name)) ::: if (false)
target.c ::: if (length != t->length || !sha256_same(&h, &t->sha256)) ::: if (length != t->length)
target.c ::: if (length != t->length || !sha256_same(&h, &t->sha256)) ::: if (!sha256_same(&h, &t->sha256))
target.c ::: if (!found || strcmp(found, audience)) ::: if (!found)
target.c ::: json_integer_value(seq) != t->seq) ::: false)
target.c ::: if (!json_is_integer(seq) || json_integer_value(seq) < 0) ::: if (false)
verifier_check.c ::: v->expired = r->expires <= v->now ::: v->expired = r->expires < v->now
verifier_check.c ::: || (timestamp && r->version <= v->stale); ::: ;
verifier_check.c ::: r->version <= v->stale ::: r->version < v->stale
verifier_check.c ::: v->expired_timestamp = v->expired && timestamp ? r->version : 0; ::: v->expired_timestamp = r->version;
verifier_check.c ::: if (!code && (code = role_verify(out, s, name, e))) ::: if (false)
verifier_check.c ::: code = role_verify(&r, &a->signer, a->name, e); ::: ;
verifier_check.c ::: if (!code && r.version != a->version) ::: if (false)
verifier_check.c ::: code = code ? code : check_fresh(v, &r, a->name, e); ::: ;
verifier_check.c ::: code = code ? code : check_kind(v, &r, e); ::: ;
verifier_check.c ::: code = announced_after(r, &old, e); ::: code = OK;
verifier_check.c ::: enum err    code = announced_read(v->profile, r, false, e); ::: enum err    code = OK;
verifier_check.c ::: else if (strict(v->profile) && json_object_size(own)) ::: else if (false)
verifier_check.c ::: if (!json_is_object(own)) ::: if (false)
verifier_check.c ::: if (v->step == STEP_DELEGATED && json_array_size ::: if (false && json_array_size
verifier_check.c ::: enum err    code = announced_check(a->announcer, a->name, bytes, length, e); ::: enum err    code = OK;
verifier_outcome.c ::: if (!json_is_integer(size) || json_integer_value(size) != (json_int_t)length || ::: if (
verifier_outcome.c ::: !digest_matches(json_object_get(line, "hashes"), bytes, length)) ::: false)
verifier.c ::: enum err code = check_fresh(v, &v->root, "root", &v->error); ::: enum err code = OK;
verifier.c ::: code = root_follows(v->profile, &v->root, &next, &v->error); ::: ;
verifier.c ::: return ++v->root_steps < ROOT_STEPS ? OK : root_settled(v); ::: return OK;
verifier.c ::: rotates ? announcers : NULL ::: NULL
verifier.c ::: rotates ? announcers : NULL ::: announcers
verifier.c ::: bool rotates = root_rotates(v->profile, &v->root, next, "timestamp") || ::: bool rotates =
verifier.c ::: || root_rotates(v->profile, &v->root, next, "snapshot"); ::: ;
verifier.c ::: if (next->version == old.version) { ::: if (false) {
verifier.c ::: } else if (next->version < old.version) { ::: } else if (false) {
verifier.c ::: code = announced_after(next, &old, &v->error); ::: ;
verifier.c ::: code = root_check(v->profile, &next, &v->root, "timestamp", &v->error); ::: ;
verifier.c ::: code = code ? code : announced_read(v->profile, &next, true, &v->error); ::: ;
verifier.c ::: code = code ? code : check_fresh(v, &next, "timestamp", &v->error); ::: ;
verifier.c ::: if (!code && !v->same_timestamp) ::: if (!code)
verifier.c ::: return a->version < 1 ? fail( ::: return false ? fail(
verifier.c ::: enum err           code = r ? role_verify(r, &a->signer, a->name, &v->error) : OK; ::: enum err           code = OK;
verifier.c ::: root_consistent(&v->root) ? a.version : 0 ::: a.version
TABLE
}

build() { # file: its object, from the scratch copy
    (cd "$scratch" && $CC $flags -c -o "obj/$(basename "$1" .c).o" "$1")
}
link() { # test
    (cd "$scratch" && $CC -o "bin/test_$1" "test/test_$1.o" obj/*.o -lcrypto -lsodium -ljansson -lcmocka)
}
passes() { # test
    (CMOCKA_TEST_ABORT=1 timeout 10 "$scratch/bin/test_$1" >"$scratch/out" 2>&1; exit $?) 2>/dev/null
}

mkdir -p "$scratch"/{policy/trust,policy/document,base,tests/unit,obj,test,bin}
cp base/*.[ch] "$scratch/base/"
cp policy/document/json.[ch] "$scratch/policy/document/"
cp policy/trust/*.[ch] "$scratch/policy/trust/"
rm -f "$scratch"/policy/trust/{repository,edition,ceremony,shelf}*.c
for test in $tests; do cp "tests/unit/test_$test.c" "$scratch/tests/unit/"; done
cp tests/unit/trust_lab.h tests/unit/attack*.h "$scratch/tests/unit/"
for file in base/*.c policy/document/json.c policy/trust/*.c; do
    [ ! -f "$scratch/$file" ] || build "$file" || exit 1
done
for test in $tests; do
    (cd "$scratch" && $CC $flags -c -o "test/test_$test.o" "tests/unit/test_$test.c") && link "$test" || exit 1
    passes "$test" || { tail -5 "$scratch/out"; echo "mutations: test_$test fails with nothing taken out"; exit 1; }
done

made=0 caught=0
while IFS= read -r line; do
    file=policy/trust/${line%% ::: *} rest=${line#* ::: }
    from=${rest%% ::: *} to=${rest#* ::: }
    text=$(cat "$file"; printf x)
    without=${text/"$from"/}
    made=$((made + 1))
    if [ "$without" = "$text" ] || [ "${without/"$from"/}" != "$without" ]; then
        echo "mutations: $file: does not stand there once: $from"
        continue
    fi
    printf %s "${text/"$from"/"$to"}" | head -c -1 >"$scratch/$file"
    object=$scratch/obj/$(basename "$file" .c).o
    mv "$object" "$scratch/whole.o"
    if ! build "$file" 2>"$scratch/out"; then
        head -3 "$scratch/out"
        echo "mutations: $file: does not compile: $to"
    else
        found= own=
        case " $tests " in *" $(basename "$file" .c) "*) own=$(basename "$file" .c) ;; esac
        for test in $own $tests; do             # the file's own test first: it is the fastest to notice
            link "$test"
            passes "$test" || { found=$test; break; }
        done
        if [ -n "$found" ]; then caught=$((caught + 1)); [ -z "${V:-}" ] || echo "$found $SECONDS s: $line"; else echo "mutations: NOT CAUGHT: $line"; fi
    fi
    cp "$file" "$scratch/$file"
    mv "$scratch/whole.o" "$object"
done < <(mutations)
echo "mutations: $made made, $caught caught"
[ "$made" = "$caught" ]
