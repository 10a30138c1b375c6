/* SPDX-License-Identifier: Apache-2.0 */
/*
 * currency.c: see currency.h. The table of codes is ISO 4217's list one (2024), funds and metals left out, with
 * the decimals of the smallest unit in front. Signs are by what the currency's own country and its shops
 * write; where two countries write the same, both are named.
 */
#include "txn/body/currency.h"

#include "base/utf8.h"
#include "txn/body/amount.h"

static const char codes0[] = "BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXVNDVUVXAFXOFXPF";
static const char codes2[] =
	"AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCNYCOPCRCCUP"
	"CVECZKDKKDOPDZDEGP"
	"ERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZTLAKLBPLKR"
	"LRDLSLMADMDLMGAMKD"
	"MMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSARSBDSCRSDG"
	"SEKSGDSHPSLESOSSRD"
	"SSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUYUUZSVEDVESWSTXCDYERZARZMWZWG";
static const char codes3[] = "BHDIQDJODKWDLYDOMRTND";
static const char codes4[] = "CLFUYW";

/* Longer ones first where one begins like another. */
static const struct {
	struct slice sign;
	const char *codes;
} signs[] = {
	{ SLICE("\xe2\x82\xac"), "EUR" },
	{ SLICE("Euros"), "EUR" },
	{ SLICE("euros"), "EUR" },
	{ SLICE("Euro"), "EUR" },
	{ SLICE("euro"), "EUR" },
	{ SLICE("\xc2\xa3"), "GBP" },
	{ SLICE("US$"), "USD" },
	{ SLICE("US $"), "USD" },
	{ SLICE("CA$"), "CAD" },
	{ SLICE("C$"), "CADNIO" },
	{ SLICE("AU$"), "AUD" },
	{ SLICE("A$"), "AUD" },
	{ SLICE("NZ$"), "NZD" },
	{ SLICE("HK$"), "HKD" },
	{ SLICE("NT$"), "TWD" },
	{ SLICE("S$"), "SGD" },
	{ SLICE("MX$"), "MXN" },
	{ SLICE("R$"), "BRL" },
	{ SLICE("CN\xc2\xa5"), "CNY" },
	{ SLICE("JP\xc2\xa5"), "JPY" },
	{ SLICE("$"),
	  "USDCADAUDNZDHKDSGDTWDMXNARSCLPCOPUYUDOPBBDBMDBSDBZDFJDGYDJMDKYDLRDNADSBDSRDTTDXCDBND" },
	{ SLICE("\xc2\xa5"), "JPYCNY" },
	{ SLICE("\xef\xbf\xa5"), "JPYCNY" },
	{ SLICE("\xe5\x86\x86"), "JPY" },
	{ SLICE("\xe5\x85\x83"), "CNYTWDHKD" },
	{ SLICE("\xe2\x82\xa9"), "KRWKPW" },
	{ SLICE("\xec\x9b\x90"), "KRW" },
	{ SLICE("\xe2\x82\xb9"), "INR" },
	{ SLICE("\xe2\x82\xa8"), "INRPKRLKRNPRMURSCR" },
	{ SLICE("Rs."), "INRPKRLKRNPRMURSCR" },
	{ SLICE("Rs"), "INRPKRLKRNPRMURSCR" },
	{ SLICE("\xe2\x82\xbd"), "RUB" },
	{ SLICE("\xd1\x80\xd1\x83\xd0\xb1."), "RUBBYN" },
	{ SLICE("\xd1\x80\xd1\x83\xd0\xb1"), "RUBBYN" },
	{ SLICE("\xe2\x82\xb4"), "UAH" },
	{ SLICE("\xe2\x82\xba"), "TRY" },
	{ SLICE("TL"), "TRY" },
	{ SLICE("\xe2\x82\xaa"), "ILS" },
	{ SLICE("\xe2\x82\xab"), "VND" },
	{ SLICE("\xe0\xb8\xbf"), "THB" },
	{ SLICE("\xe2\x82\xb1"), "PHP" },
	{ SLICE("\xe2\x82\xa6"), "NGN" },
	{ SLICE("\xe2\x82\xb8"), "KZT" },
	{ SLICE("\xe2\x82\xbc"), "AZN" },
	{ SLICE("\xe2\x82\xbe"), "GEL" },
	{ SLICE("\xe2\x82\xa1"), "CRC" },
	{ SLICE("\xe2\x82\xb2"), "PYG" },
	{ SLICE("\xe2\x82\xb5"), "GHS" },
	{ SLICE("\xe0\xa7\xb3"), "BDT" },
	{ SLICE("z\xc5\x82"), "PLN" },
	{ SLICE("K\xc4\x8d"), "CZK" },
	{ SLICE("Ft"), "HUF" },
	{ SLICE("\xd0\xbb\xd0\xb2."), "BGN" },
	{ SLICE("\xd0\xbb\xd0\xb2"), "BGN" },
	{ SLICE("lei"), "RONMDL" },
	{ SLICE("Kr."), "DKKSEKNOKISK" },
	{ SLICE("kr."), "DKKSEKNOKISK" },
	{ SLICE("Kr"), "DKKSEKNOKISK" },
	{ SLICE("kr"), "DKKSEKNOKISK" },
	{ SLICE("SFr."), "CHF" },
	{ SLICE("Fr."), "CHFXOFXAFXPFDJFGNFKMFRWFBIFCDF" },
	{ SLICE("RM"), "MYR" },
	{ SLICE("Rp"), "IDR" },
};

/* Of ASCII: signs of other scripts are no words. */
static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Where in a list of codes; NULL: not there. */
static const char *code_in(const char *list, const char *code)
{
	for (; *list; list += 3)
		if (!memcmp(list, code, 3))
			return list;
	return NULL;
}

static const char *code_find(const char *code, int *ret_digits)
{
	static const char *const lists[] = { codes0, NULL, codes2, codes3, codes4 };
	const char *at = NULL;

	for (int i = 0; i < 5 && !at; i++) {
		at = lists[i] ? code_in(lists[i], code) : NULL;
		*ret_digits = i;
	}
	return at;
}

int amount_minor_digits(const char *currency)
{
	int digits;

	if (!currency[0] || !currency[1] || !currency[2] || !code_find(currency, &digits))
		return -1;
	return digits;
}

struct currency currency_at(struct slice text)
{
	const char *code = NULL;
	int digits;

	if (text.len == 3 || (text.len > 3 && !is_letter(text.at[3])))
		code = code_find(text.at, &digits);
	if (code)
		return (struct currency){ 3, slice_of(code, 3) };
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		struct slice sign = signs[i].sign;

		if (!slice_starts(text, sign))
			continue;
		/* "Ft" is no beginning of a word */
		if (is_letter(sign.at[sign.len - 1]) && text.len > sign.len &&
		    is_letter(text.at[sign.len]))
			continue;
		return (struct currency){ sign.len, slice_str(signs[i].codes) };
	}
	return (struct currency){ 0 };
}

void currency_decide(struct currency c, const char *hint, char ret[4])
{
	const char *code = hint;

	if (c.len && c.codes.len == 3)
		code = c.codes.at;
	else if (c.len)
		code = amount_minor_digits(hint) >= 0 ? code_in(c.codes.at, hint) : NULL;
	memset(ret, 0, 4);
	if (code && *code)
		memcpy(ret, code, 3);
}

bool amount_currency(struct slice text, char ret[4])
{
	struct currency c;
	char upper[4] = "";

	text = slice_trim(text);
	for (unsigned i = 0; text.len == 3 && i < 3; i++)
		upper[i] = is_letter(text.at[i]) ? (char)(text.at[i] & ~0x20) : ' ';
	if (amount_minor_digits(upper) >= 0) {
		memcpy(ret, upper, 4);
		return true;
	}
	c = currency_at(text);
	if (!c.len || c.len != text.len || c.codes.len != 3)
		return false;
	currency_decide(c, "", ret);
	return true;
}

bool currency_has_digit(struct slice text)
{
	/* zeros of the scripts whose digits are met in shops: Arabic, Persian, Devanagari, Bengali, Thai, full width */
	static const uint32_t zeros[] = { 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10 };

	for (size_t i = 0; i < text.len;) {
		size_t n = utf8_length(text.at + i, text.len - i);
		uint32_t code = n ? utf8_code(text.at + i, n) : 0;

		for (unsigned z = 0; z < sizeof(zeros) / sizeof(zeros[0]); z++)
			if (code >= zeros[z] && code < zeros[z] + 10)
				return true;
		i += n ? n : 1;
	}
	return false;
}
