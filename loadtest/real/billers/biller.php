<?php
// A biller in plain PHP.
$request = file_get_contents('php://input');
if (!preg_match('/"biller_user_key":"(\w+)\.(\w+)\.(\w+)/', $request, $form)) {
    http_response_code(400);
    exit;
}
[, $text, $framing, $end] = $form;
if (preg_match('/"pay_id":(\d+)/', $request, $id)) {
    file_put_contents('@HEARD@', "$id[1]\n", FILE_APPEND | LOCK_EX);
}
$answer = file_get_contents("@ANSWERS@/$text");
http_response_code($text === 'page' ? 500 : 200);
header('Content-Type: ' . ($text === 'page' ? 'text/html' : 'application/json;charset=utf-8'));
if ($framing === 'length') {
    header('Content-Length: ' . strlen($answer));
}
if ($end === 'close') {
    header('Connection: close');
}
foreach (str_split($answer, intdiv(strlen($answer), 2) + 1) as $piece) {
    echo $piece;
    if ($framing === 'open') {
        flush();
    }
}
