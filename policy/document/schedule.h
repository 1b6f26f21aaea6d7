/* When things happen again: the one language for maintenance windows and rules.
 *   2026-11-30 22:00                     once
 *   daily 02:00                          every 3 days 02:00 from 2026-11-01
 *   sunday 01:00                         saturday, sunday 22:00            every 2 weeks saturday 22:00 from 2026-11-07
 *   monthly 15 02:00                     monthly last 02:00                every 3 months 15 02:00 from 2026-11-15
 *   second tuesday +1d 02:00             last friday 20:00                 (first … fourth, last; the offset is cut at the month's end)
 *   every 3 months second tuesday 02:00 from 2026-11-01
 *   every 4 hours                        every 4 hours from 2026-11-01 00:00
 * Without a time of day: 00:00. "from": the first day that counts, in the first week (sunday to saturday) or month that counts; without it
 * 1970-01-01 (a thursday), and weeks are counted from 1970-01-04. Hours are real ones, counted from that moment of the zone's wall clock.
 * Keywords are case-insensitive; weekdays may be cut to three letters. At most 200 bytes. Pure; any thread. */
#ifndef FERRY_POLICY_DOCUMENT_SCHEDULE_H
#define FERRY_POLICY_DOCUMENT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/document/zone.h"

enum schedule_kind { SCHEDULE_ONCE, SCHEDULE_HOURS, SCHEDULE_DAYS, SCHEDULE_WEEKS, SCHEDULE_MONTH_DAY, SCHEDULE_MONTH_WEEKDAY };

struct schedule {
    enum schedule_kind kind;
    int                every;                   /* hours, days, weeks, months; 1 … 999 */
    unsigned           weekdays;                /* bit 0 sunday; one bit for SCHEDULE_MONTH_WEEKDAY */
    int                day;                     /* SCHEDULE_MONTH_DAY: 1 … 31 (cut to the month's end), 0 the last */
    int                nth;                     /* SCHEDULE_MONTH_WEEKDAY: 1 … 4, 0 the last */
    int                offset_days;             /* 0 … 7 */
    struct civil       from;                    /* year 0: none; a date, for hours with its time. SCHEDULE_ONCE: the moment itself */
    int                hour, minute;            /* the time of day; neither ONCE nor HOURS has one */
};

/* ERR_USAGE: "column 9: …" and what is accepted. */
enum err schedule_parse(const char *text, struct schedule *out, struct error *);
char    *schedule_print(const struct schedule *);                  /* canonical, parses to the same; caller frees */
/* The first occurrence after t; the last at or before t. 0: none (a once that is over, or not yet; before 1970, behind 9999). */
int64_t  schedule_next(const struct schedule *, const struct zone *, int64_t t);
int64_t  schedule_last(const struct schedule *, const struct zone *, int64_t t);
/* For people: everything moment_read takes (UTC where it says so), and "friday 22:00", "22:00", "tomorrow 06:00", "second tuesday 02:00": the
 * next such moment of the zone's wall clock. */
enum err schedule_moment(const char *text, const struct zone *, int64_t now, int64_t *out, struct error *);

/* Words that other small languages share: "friday", "FRI" → 5, -1 when it is none; "6:30", "22:00" → hour and minute. */
int         weekday_read(const char *word, size_t length);
const char *weekday_name(int weekday);
bool        clock_read(const char *word, size_t length, int *hour, int *minute);

#endif
