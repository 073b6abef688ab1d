// Package words holds every sentence that pages and reports show, in each
// language, and writes numbers, times and durations the way that language does.
//
//	en.words, zh-CN.words     key = text, one per line; %s takes an argument, %[2]s the second
//
// A new language is one more file and one name in Languages. A test compares
// the files: same keys, same arguments.
package words
