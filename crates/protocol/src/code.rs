//! The guide's response codes (sections 2.5, 3.3, 4.3 and 6.3) with their exact messages.

use std::fmt;

/// Defines [`ResCode`] from one table: variant, code, message.
macro_rules! response_codes {
    ($($variant:ident $code:literal $message:literal)+) => {
        /// A response code of the guide. The messages are defined in this file only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ResCode {
            $(#[doc = concat!("`", $code, "`: `", $message, "`")] $variant,)+
        }

        impl ResCode {
            /// All codes, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code, as in `res_code`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The guide's message for the code, as in `message`.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

// The spelling of E506's message is the guide's.
response_codes! {
    Ok   "OK"   "정상응답"
    E001 "E001" "필수 파라미터가 없습니다."
    E003 "E003" "잘못된 빌러 식별 코드입니다."
    E005 "E005" "청구서 식별 코드가 필요합니다."
    E006 "E006" "파라미터의 최대 길이가 초과했습니다."
    E007 "E007" "파라미터의 자리수가 맞지 않습니다."
    E008 "E008" "JSON 파싱 에러"
    E101 "E101" "parameter 저장이 실패했습니다. key, value 의 길이 및 타입을 확인해주세요."
    E403 "E403" "납부 가능 금액이 없습니다."
    E501 "E501" "납부불가 - 납부 가능금액 초과"
    E502 "E502" "납부불가 - 납부 대상 없음"
    E506 "E506" "납부기한이 경과하합니다."
    E601 "E601" "수납처리실패 - 납부요청 정보 조회 실패"
    E801 "E801" "[에이전시] 내부 에러"
    E806 "E806" "[에이전시] 카카오페이에 요청 중 타임아웃 발생"
    E807 "E807" "[에이전시] 요청 데이터 JSON 파싱 에러"
    E808 "E808" "[에이전시] 응답 데이터 JSON 파싱 에러"
    E809 "E809" "[에이전시] 요청에 대한 응답 데이터를 받지 못했습니다."
    E811 "E811" "[에이전시] 청구서 식별 코드가 중복됩니다."
    E812 "E812" "[에이전시] 등록되지 않은 청구서입니다."
    E817 "E817" "[에이전시] 오류 건으로 분류된 청구서입니다."
    E818 "E818" "[에이전시] 이미 링크 생성된 청구서입니다."
}

impl ResCode {
    /// Returns the guide's code with this name; `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

impl fmt::Display for ResCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_own_name_and_no_other_is() {
        for code in ResCode::ALL {
            assert_eq!(ResCode::from_code(code.code()), Some(*code));
        }
        for unknown in ["", "ok", "E000", "E402", "e001"] {
            assert_eq!(ResCode::from_code(unknown), None);
        }
    }

    #[test]
    fn messages_can_stand_in_a_json_string_without_escapes() {
        for code in ResCode::ALL {
            let safe = |c: char| c != '"' && c != '\\' && !c.is_control();
            assert!(code.message().chars().all(safe), "{code}");
        }
    }
}
