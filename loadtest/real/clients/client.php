<?php
// PHP's clients: `client.php curl|streams URL CALLS CA`.
[, $library, $url, $calls, $ca] = $argv;

function with_curl($curl, $target, $headers, $body, $ca)
{
    curl_setopt_array($curl, [
        CURLOPT_URL => $target, CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 10,
    ]);
    if ($ca !== '') {
        curl_setopt($curl, CURLOPT_CAINFO, $ca);
    }
    $text = curl_exec($curl);
    return [$text === false ? curl_error($curl) : curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $text];
}

function with_streams($target, $headers, $body, $ca)
{
    $context = stream_context_create([
        'http' => ['method' => 'POST', 'header' => $headers, 'content' => $body, 'ignore_errors' => true, 'timeout' => 10],
        'ssl' => $ca === '' ? [] : ['cafile' => $ca],
    ]);
    $text = file_get_contents($target, false, $context);
    return [explode(' ', $http_response_header[0])[1], $text];
}

$curl = $library === 'curl' ? curl_init() : null;
foreach (file($calls, FILE_IGNORE_NEW_LINES) as $line) {
    [$path, $authorization, $body] = explode("\t", $line);
    $headers = ['Content-Type: application/json;charset=utf-8'];
    if ($authorization !== '-') {
        $headers[] = "Authorization: $authorization";
    }
    [$status, $text] = $curl
        ? with_curl($curl, $url . $path, $headers, $body, $ca)
        : with_streams($url . $path, $headers, $body, $ca);
    echo $status, "\t", strtr($text, "\n", " "), "\n";
}
